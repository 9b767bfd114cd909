package verdict

import (
	"fmt"
	"math"
)

// message says what was found, and what to do about it.
func (r *DependenceResult) message(c connectionLook, o orderLook) string {
	switch r.Balancing {
	case Sticky:
		which := ""
		if r.Observed > keptAnswers {
			which = "the first "
		}
		s := fmt.Sprintf("requests on the same connection reached the same backend %s of the time (%s expected if independent): %s%s requests are worth %s samples. Use one request per connection.",
			percent(r.Same), percent(r.Expected), which, grouped(r.N), grouped(int64(math.Max(1, math.Round(r.Effective)))))
		switch {
		case o.even:
			s += " (Or the gateway deals its backends in turn and the connections take turns in step with it.)"
		case o.alike && o.across >= leastAlike:
			s += " (Or the gateway deals its backends in blocks and the connections come and go in step with them.)"
		}
		return s
	case Exact:
		who := "the gateway deals its backends in turn"
		if c.less {
			who = "every connection is dealt its backends in turn"
		}
		return who + ": answers are spread more evenly than by chance. The verdict holds; but other clients that ask in step could shift the shares that are seen."
	case Blocks:
		if !o.alike || o.kappa < leastAlike {
			return "every connection is dealt its backends in blocks: several alike in a row. A share may look off within a block; look at many blocks."
		}
		where := "the one before"
		if o.lag > 1 {
			where = fmt.Sprintf("the %s before", ordinal(o.lag))
		}
		return fmt.Sprintf("answers come in blocks: one reached the same backend as %s %s of the time (%s expected if independent). A share may look off within a block; look at many blocks.",
			where, percent(o.rate), percent(r.Expected))
	case TooFew:
		switch {
		case r.N == 0:
			return "no answers yet: how they depend on each other cannot be told"
		case c.others == 0:
			return "all answers are the same outcome: how they depend on each other cannot be told"
		}
		return fmt.Sprintf("%s answers are too few to tell how they depend on each other", grouped(r.N))
	}
	if r.Connections == r.N {
		return "each request had its own connection, and nothing shows that answers depend on each other"
	}
	return "nothing shows that answers depend on their connection or on each other"
}

func ordinal(n int) string {
	switch n {
	case 2:
		return "2nd"
	case 3:
		return "3rd"
	}
	return fmt.Sprintf("%dth", n)
}
