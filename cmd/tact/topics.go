package main

import (
	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/actions/policy"
)

// newTopics are pages of help that belong to no verb: tact help exit-codes.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "exit-codes",
			Short: "what the exit code of every command says",
			Long: `Exit codes of tact and tactd

   0  done
   1  failed, refused, or there are findings
   2  usage: a command, flag or argument that does not exist or is missing
  69  a peer (hub, broker, device) can't be reached
  74  input or output: a file can't be read or written
  75  busy: another process holds what is needed, try again
  77  permission: the system does not allow it
  78  configuration: a file or variable that configures is wrong

Results are on stdout; everything else is on stderr and starts with "tact:".`,
		},
		{
			Use:   "findings",
			Short: "how mistakes in policies and scenarios are printed",
			Long: `Findings

  dealer/actions.yaml:12:17: error: name "sped" is not declared [unknown_name]
      applicable: "sped < 7"
                   ^
      hint: did you mean speed?

The place is file, line and column, counted from 1; columns count characters,
not bytes. An error allows no bundle; a warning does. With --json each finding
is one line:

  {"file","line","column","severity","code","message","hint"}

The code in brackets never changes, so that scripts can look for it.`,
		},
		{
			Use:   "policy",
			Short: "every key of a policy, with an example",
			Long:  policy.Grammar(),
		},
		{
			Use:   "conditions",
			Short: "every operator and function of conditions, with an example",
			Long:  policy.Conditions(),
		},
		{
			Use:   "events",
			Short: "the lines that say what happened",
			Long: `Event lines

One JSON object a line, UTF-8, at most 64 KiB. Every line may have "at" (RFC 3339,
milliseconds kept), "happened" (never after at), "id" (at most 64 characters),
"source" and "session", and says exactly one thing:

  {"signal":NAME,"value":V,"age":D}
  {"identify":CUSTOMER or null,"by":"card|login|code|staff|passive","strength":0..1,
   "shared":true,"language":L,"owners":{"vehicle":ID}}
  {"fact":NAME,"customer":C or "owner":ID,"value":V or null,
   "provenance":"declared|observed|inferred|third_party"}
  {"consent":PURPOSE,"customer":C,"granted":true,"text":VERSION,"expires":TIME}
  {"objection":PURPOSE,"customer":C,"raised":true}
  {"restrict":C,"on":true}
  {"interaction":KIND,"customer":C,"about":"type:id","channel":CH,"ref":R,
   "value":N,"due":TIME}
  {"ask":SLOT,"intent":I,"about":A,"with":{...},"count":N,"language":L}
  {"outcome":"shown|accepted|dismissed|ignored|later|never|negative|abandoned|failed",
   "decision":ID or "last","slot":S}
  {"forget":C}   {"merge":[A,B]}   {"split":[A,B]}   {"tick":true}
  {"boot":{"clock":"synced|floor|unknown","absent":[NAME]}}
  {"clock":{"now":TIME,"state":"synced|floor|unknown","zone":Z}}
  {"lease":C,"until":TIME or null}   {"policy":"name@version"}   {"link":"up|down"}

A key that may be left out may be null as well. An age is a duration ("90s") or
whole milliseconds. Unknown keys are errors that name them.`,
		},
	}
}
