package profile

import "github.com/tact-edge/tact/context/sense"

// Budget is a share of what a limit still allows for the customer: so many contacts
// that fall under it.
type Budget struct {
	Limit string // its name in the bundle
	About string // of a limit that counts per subject: the action's subject, else its name
	Units int64
}

// Budgets are the shares that the hub has leased to this device.
type Budgets struct {
	List  []Budget      // in order of Limit, About
	Above uint64        // contacts whose Seq is above it count against the shares
	Until sense.Instant // end of the lease; 0 where there is none
}
