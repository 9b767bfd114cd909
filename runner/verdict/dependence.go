package verdict

import "fmt"

// Balancing is how a gateway seems to divide its answers.
type Balancing string

// The kinds of balancing that can be told apart.
const (
	Independent Balancing = "independent"
	Exact       Balancing = "exact (round robin)"
	Blocks      Balancing = "in blocks"
	Sticky      Balancing = "sticky by connection"
	TooFew      Balancing = "too few answers to tell"
)

// How much is looked at: the first answers, for connections and for their order.
const (
	keptAnswers = 20_000
	keptInOrder = 5_000
)

// What is worth a word. A dependence that is certain but smaller than this
// changes nothing that anybody would notice.
const (
	leastDesignEffect = 1.1 // of answers on the same connection
	leastAlike        = .05 // kappa of answers near each other
	leastAnswers      = 100 // fewer that show nothing say nothing
	leastOthers       = 10  // so too when fewer are not of the commonest outcome
)

// Dependence looks at how answers depend on each other and on the connection
// that carried them: a gateway may send all requests of a connection to one
// backend, deal its backends in turn or deal them in blocks.
//
// What comes of it is a message for people. It licenses nothing: Test asks for
// answers that are divided anew given the past, which one request per
// connection brings about, and no result here replaces that. Weak stickiness in
// particular is not reliably seen.
//
// The first 20,000 answers are kept (the first 5,000 for what concerns their
// order), later ones only counted: 320 kB at most, and no allocation any more.
// Answers before and after a change of the gateway are to go to a Dependence
// each, for a change looks like one long block. It is not safe for concurrent
// use.
type Dependence struct {
	outcomes int
	seed     uint64
	observed int64
	kept     []answer
}

type answer struct {
	connection int64
	outcome    int32
}

// NewDependence begins for a claim of so many outcomes. The same answers and
// the same seed give the same result.
func NewDependence(outcomes int, seed uint64) *Dependence {
	if outcomes < 0 {
		panic(fmt.Sprintf("verdict: %d outcomes", outcomes))
	}
	return &Dependence{outcomes: outcomes, seed: seed}
}

// Observe takes one answer, in the order of dispatch: the number of its
// connection (any number; negative when none came about) and its outcome as
// Test.Observe takes it. It panics on another outcome.
func (d *Dependence) Observe(connection int64, outcome int) {
	if outcome < Unlisted || outcome >= d.outcomes {
		panic(fmt.Sprintf("verdict: no outcome %d among %d", outcome, d.outcomes))
	}
	d.observed++
	if len(d.kept) < keptAnswers {
		d.kept = append(d.kept, answer{connection, int32(outcome)})
	}
}

// DependenceResult is what can be told of how answers depend on one another.
// All its numbers are finite.
type DependenceResult struct {
	Balancing Balancing `json:"balancing"`
	// Observed is the number of answers that came, errors included; N of those
	// that were looked at: the first 20,000 but for errors, which nobody dealt.
	// They came on so many Connections.
	Observed    int64 `json:"observed"`
	N           int64 `json:"n"`
	Connections int64 `json:"connections"`
	// Same is the part of all pairs of answers on the same connection that are
	// the same outcome; 0 when there is no such pair. Expected is what it would
	// be if answers did not depend on their connection.
	Same     float64 `json:"same"`
	Expected float64 `json:"expected"`
	// Kappa is how much more often answers on the same connection agree than
	// those on different ones: 0 as often, 1 always, negative less often (J.
	// Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas.
	// 20, 1960).
	Kappa float64 `json:"kappa"`
	// DesignEffect is how many of the answers are worth one independent answer,
	// at least 1; above it only when they are sticky (L. Kish, Survey Sampling,
	// 1965). Effective is N divided by it.
	DesignEffect float64 `json:"designEffect"`
	Effective    float64 `json:"effective"`
	// Message says it in words.
	Message string `json:"message"`
}

// Result says what can be told so far. Answers that really are independent are
// called something else with a probability of at most 4 in 1,000: each of four
// permutation tests is wrong in at most 1 of 1,000 cases. It takes a
// millisecond, or some hundred when there is something to tell.
func (d *Dependence) Result() DependenceResult {
	byConnection := lookAtConnections(d.kept, d.seed)
	inOrder := lookAtOrder(d.kept[:min(len(d.kept), keptInOrder)], d.seed)
	r := DependenceResult{
		Observed: d.observed, N: byConnection.n, Connections: byConnection.connections,
		Same: byConnection.same, Expected: byConnection.expected, Kappa: byConnection.kappa,
		DesignEffect: 1,
	}
	r.Balancing = balancing(byConnection, inOrder)
	if r.Balancing == Sticky {
		r.DesignEffect = byConnection.designEffect()
	}
	r.Effective = float64(r.N) / r.DesignEffect
	r.Message = r.message(byConnection, inOrder)
	return r
}

// balancing weighs what the tests say.
func balancing(c connectionLook, o orderLook) Balancing {
	sticky := c.more && c.designEffect() >= leastDesignEffect
	inBlocks := o.alike && o.kappa >= leastAlike
	within := c.kappa
	if o.paired {
		within = o.within
	}
	switch {
	case sticky && !(inBlocks && o.across >= within/2):
		// A connection that is open for a while sees more of the block that is
		// being dealt; but then so do other connections at that time.
		return Sticky
	case c.less && c.again < leastAlike:
		// Dealt in turn on each connection. Side by side in step, such
		// connections look like blocks.
		return Exact
	case inBlocks && !(o.even && o.first <= 0):
		// Small blocks are even over 25 answers too, but neighbours are alike.
		return Blocks
	case o.even:
		return Exact
	case c.less:
		return Blocks // on each connection: an answer is like the one before on it
	case c.n < leastAnswers || c.others < leastOthers:
		return TooFew
	}
	return Independent
}
