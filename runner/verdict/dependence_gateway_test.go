package verdict

import "math/rand/v2"

// choose is a simulated gateway: the outcome of a request on a connection.
type choose func(connection int64) int

// gateways are the kinds of them, by the percentages of their outcomes.
var gateways = map[string]func(r *rand.Rand, percent []int) choose{
	"by chance": func(r *rand.Rand, percent []int) choose {
		return func(int64) int { return pick(r.IntN(100), percent) }
	},
	"smooth": func(r *rand.Rand, percent []int) choose {
		next := smooth(r, percent)
		return func(int64) int { return next() }
	},
	"blocks of 20": func(r *rand.Rand, percent []int) choose {
		next := inBlocks(r, percent, 5)
		return func(int64) int { return next() }
	},
	"blocks of 100": func(r *rand.Rand, percent []int) choose {
		next := inBlocks(r, percent, 1)
		return func(int64) int { return next() }
	},
	"sticky":        func(r *rand.Rand, percent []int) choose { return sticking(r, percent, 1) },
	"half sticky":   func(r *rand.Rand, percent []int) choose { return sticking(r, percent, .5) },
	"weakly sticky": func(r *rand.Rand, percent []int) choose { return sticking(r, percent, .1) },
	// Each process of the gateway deals in turn, and a connection stays with one.
	"smooth per connection": func(r *rand.Rand, percent []int) choose {
		return perConnection(func() func() int { return smooth(r, percent) })
	},
	"smooth per connection, in step": func(_ *rand.Rand, percent []int) choose {
		return perConnection(func() func() int { return smooth(rand.New(rand.NewPCG(1, 1)), percent) })
	},
	"blocks per connection": func(r *rand.Rand, percent []int) choose {
		return perConnection(func() func() int { return inBlocks(r, percent, 5) })
	},
}

// sticking answers with the connection's own outcome so often, else by chance.
func sticking(r *rand.Rand, percent []int, often float64) choose {
	own := perConnection(func() func() int {
		outcome := pick(r.IntN(100), percent)
		return func() int { return outcome }
	})
	return func(connection int64) int {
		if r.Float64() < often {
			return own(connection)
		}
		return pick(r.IntN(100), percent)
	}
}

func perConnection(begin func() func() int) choose {
	next := make(map[int64]func() int)
	return func(connection int64) int {
		if next[connection] == nil {
			next[connection] = begin()
		}
		return next[connection]()
	}
}

// ask sends n requests to the gateway by so many workers, each of which uses a
// connection for so many requests, and returns the answers in the order in
// which the requests were sent. The gateway takes up those under way in any
// order.
func ask(r *rand.Rand, n, workers, perConnection int, gateway choose) []answer {
	type worker struct {
		number, sent int
		connection   int64
	}
	answers := make([]answer, n)
	under := make([]worker, workers)
	number, connection := 0, int64(0)
	send := func(w *worker) {
		if w.sent == 0 || w.sent == perConnection {
			w.connection, w.sent = connection, 0
			connection++
		}
		w.number = number
		w.sent++
		number++
	}
	for i := range under {
		send(&under[i])
	}
	for done := 0; done < n; {
		w := &under[r.IntN(workers)]
		if w.number < n {
			answers[w.number] = answer{w.connection, int32(gateway(w.connection))}
			done++
		}
		send(w)
	}
	return answers
}
