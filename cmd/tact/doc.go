// Command tact is the tool for people: it makes, checks, tests, builds and
// replays policies, keeps keys, and runs the hub and the demo.
//
// It guarantees the global rules of the contract for every verb: results on
// stdout, talk on stderr after the program's name, --help with an example,
// --json where a script reads, and the exit codes 0 done; 1 failed, refused or
// findings; 2 usage; 69 peer unreachable; 74 I/O; 75 busy, try again; 77
// permission; 78 configuration.
//
// The tool is a function too, run in root.go: arguments and streams come in as
// values, and tests call it as a user types it (testdata/*.txtar).
//
// # A new verb
//
// One file a verb, named after it. It holds
//
//	func newCheckCommand(a *app) *cobra.Command
//
// with Use, Short, Long, Example, Args and RunE; it is entered in the list of
// verbs in root.go. A verb with verbs of its own (keys new, hub run) adds them
// in its own file. What a verb owes:
//
//   - read a.stdin, write results to a.stdout, and talk with a.say; never the
//     os streams, never os.Exit, never a package variable;
//   - check the number of its arguments with exactly, atLeast or noArguments, so
//     that a mistake says what is expected and exits 2;
//   - take the context of the command (cmd.Context()) and stop when it is done;
//   - return an error, once, and not print it. The code follows from the error
//     (codeOf in exit.go): what the os package returns becomes 74 or 77 by
//     itself, usage, unreachable, busy and configuration wrap an error into 2,
//     69, 75 and 78, and everything else is 1. errFindings is for verbs that
//     have printed their findings: exit 1, and nothing more is said;
//   - offer --json with jsonFlag where a script reads, and print with a.printJSON.
package main
