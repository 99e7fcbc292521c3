// Command tactd is the agent of a device: small, without compiler and hub.
//
//	tactd run      run the agent until SIGTERM or SIGINT
//	tactd doctor   look at folders, permissions, sources, broker, clock, bundle
//	tactd config   check the configuration; `config show --origin` says where each value comes from
//	tactd version  print the version
//
// Configuration: /etc/tact/config.yaml (or --config FILE), over it the environment
// as TACT_SECTION__KEY, below it the defaults. Every bad key is named with its
// place. Exit codes: 0 done; 1 failed; 2 usage; 69 the broker cannot be reached
// (doctor); 74 input or output; 75 another agent has the store, or its port; 77 permission;
// 78 configuration.
//
// It guarantees that a stop by signal publishes offline and saves a snapshot, and
// that a kill loses nothing that was shown. Under systemd (Type=notify) it says
// READY=1 after the first evaluation, feeds the watchdog only while the mind
// goes round, and says STOPPING=1. Logs go to stderr, results to stdout.
package main
