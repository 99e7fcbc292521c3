package profile

import "github.com/tact-edge/tact/context/sense"

// Budget is a share of what a limit still allows for the customer: so many contacts
// that fall under it.
type Budget struct {
	Limit string // its name in the bundle
	About string // of a limit that counts per subject: the action's subject, else its name
	Units int64
}

// Each is a share of what a limit that counts per subject still allows about each subject that no Budget of the
// limit names: of a policy with more subjects than one message of the hub names.
type Each struct {
	Limit string
	Units int64
	But   []string // about these there is none, in order
}

// Budgets are the shares that the hub has leased to this device.
type Budgets struct {
	List  []Budget      // in order of Limit, About
	Each  []Each        // in order of Limit
	Of    [8]byte       // hash of the bundle whose subjects Each means, its first bytes; 0 where there is none
	Above uint64        // contacts whose Seq is above it count against the shares
	Until sense.Instant // end of the lease; 0 where there is none
}
