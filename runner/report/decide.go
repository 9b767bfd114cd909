package report

import (
	"fmt"

	"github.com/meshassay/assay/runner/verdict"
)

// ToDecide is a line on what would still decide an undecided result; "" for
// one that is decided.
func ToDecide(r verdict.Result) string {
	switch {
	case r.State != verdict.Undecided:
		return ""
	case r.N == 0:
		return "to decide: answers are needed\n"
	case r.Needed == 0:
		return "to decide: a wider tolerance; a share is so near to its edge that no number of further answers can be told\n"
	}
	return fmt.Sprintf("to decide: about %s more answers, judged together with these; or a wider tolerance\n", Count(r.Needed))
}
