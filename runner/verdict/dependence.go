package verdict

import "fmt"

// Balancing is how answers depend on one another.
type Balancing string

// The kinds of balancing that can be told.
const (
	Independent Balancing = "independent"
	Exact       Balancing = "exact (round robin)"
	Blocks      Balancing = "in blocks"
	Sticky      Balancing = "sticky by connection"
	TooFew      Balancing = "too few answers to tell"
)

// keptAnswers is how many answers are kept.
const keptAnswers = 20_000

// Dependence collects answers with their connections, to tell how a gateway
// balances.
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

// NewDependence begins for a claim of so many outcomes.
func NewDependence(outcomes int, seed uint64) *Dependence {
	if outcomes < 0 {
		panic("verdict: a negative number of outcomes")
	}
	return &Dependence{outcomes: outcomes, seed: seed}
}

// Observe takes one answer, in the order of dispatch: the number of its
// connection (negative: none came about) and its outcome as Test.Observe takes it.
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
type DependenceResult struct {
	Balancing Balancing `json:"balancing"`
	// N is the number of answers looked at, on so many Connections.
	N           int64 `json:"n"`
	Connections int64 `json:"connections"`
	// Kappa is how far answers on the same connection agree: 0 as by chance, 1 always.
	Kappa float64 `json:"kappa"`
	// DesignEffect is how many answers are worth one independent one, at least 1;
	// Effective is N divided by it.
	DesignEffect float64 `json:"designEffect"`
	Effective    float64 `json:"effective"`
	// Message says it in words.
	Message string `json:"message"`
}

// Result says what can be told so far.
func (d *Dependence) Result() DependenceResult {
	connections := make(map[int64]bool)
	for _, a := range d.kept {
		connections[a.connection] = true
	}
	n := int64(len(d.kept))
	return DependenceResult{Balancing: TooFew, N: n, Connections: int64(len(connections)), DesignEffect: 1, Effective: float64(n), Message: "too few answers to tell how they depend on one another"}
}
