// Package mosquitto holds the configuration of a Mosquitto broker for a fleet: with
// client certificates (mosquitto.conf) or with passwords (mosquitto-password.conf),
// and who may read and write what (acl).
//
// It guarantees that what it ships is what the tests of sync/mqtt run, with paths,
// port and tenant filled in. Callers owe valid ids.
package mosquitto

import (
	_ "embed"
	"strings"
)

var (
	//go:embed mosquitto.conf
	certificates string
	//go:embed mosquitto-password.conf
	passwords string
	//go:embed acl
	access string
)

// Where the configuration looks for its files, and its tenant, unless told otherwise.
const (
	Dir    = "/etc/mosquitto/tact"
	Tenant = "main"
)

// Config is the broker's configuration, with its files in dir.
func Config(dir string, withPasswords bool) string {
	text := certificates
	if withPasswords {
		text = passwords
	}
	return strings.ReplaceAll(text, Dir+"/", strings.TrimSuffix(dir, "/")+"/")
}

// ACL is the access list of a tenant with its groups of devices.
func ACL(tenant string, groups []string) string {
	text := strings.ReplaceAll(access, "tact/v1/"+Tenant+"/", "tact/v1/"+tenant+"/")
	text = strings.ReplaceAll(text, "tact-hub-"+Tenant, "tact-hub-"+tenant)
	example := "#pattern read tact/v1/" + tenant + "/_g-GROUP/dn/want\n"
	var lines strings.Builder
	for _, g := range groups {
		lines.WriteString(strings.Replace(strings.TrimPrefix(example, "#"), "GROUP", g, 1))
	}
	return strings.Replace(text, example, lines.String()+example, 1)
}
