package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A table has what every client did, in every round.
type table struct {
	rows  []*row
	notes []string // what went wrong and was done again
}

// A row is one client under one load.
type row struct {
	group  *group
	client client
	done   []done // one a round
	wrk    *row   // to which it is compared; nil for wrk
	failed error  // why it is not shown; only of those that are not judged
}

func newTable(groups []group) *table {
	t := &table{}
	for i := range groups {
		var first *row
		for _, c := range groups[i].clients {
			r := &row{group: &groups[i], client: c, wrk: first}
			if first == nil {
				first = r
			}
			t.rows = append(t.rows, r)
		}
	}
	return t
}

// round gives every client its turn under every load. Who is first changes from
// round to round: what one leaves behind (ports that wait, a warm processor)
// is then not always met by the same one.
func (t *table) round(ctx context.Context, n int) error {
	for from := 0; from < len(t.rows); {
		to := from + len(t.rows[from].group.clients)
		rows := slices.Clone(t.rows[from:to])
		if n%2 == 1 {
			slices.Reverse(rows)
		}
		for _, r := range rows {
			if r.failed != nil {
				continue
			}
			if err := t.turn(ctx, r); err != nil {
				return fmt.Errorf("%s: %s: %w", r.group.title, r.client.name, err)
			}
		}
		from = to
	}
	return nil
}

// turn has one client ask. On a busy machine there may be no answer in all of
// its time, or one may take longer than wrk waits: then it has another try, and
// that is said. The sampler has none for a fault: between servers that are well
// and a sampler that is right there are none.
func (t *table) turn(ctx context.Context, r *row) error {
	d, err := r.run(ctx)
	if err != nil && (!r.judged() || errors.Is(err, errNothing)) && ctx.Err() == nil {
		t.notes = append(t.notes, fmt.Sprintf("%s: %s had another try: %v", r.group.title, r.client.name, err))
		d, err = r.run(ctx)
	}
	switch {
	case err == nil:
		r.done = append(r.done, d)
	case ctx.Err() != nil || r.wrk == nil || r.judged():
		return err
	default:
		r.failed = err
	}
	return nil
}

var errNothing = errors.New("not a request was answered")

func (r *row) run(ctx context.Context) (done, error) {
	d, err := r.client.run(ctx, r.group.load)
	if err == nil && (d.Requests == 0 || d.Elapsed <= 0) {
		err = errNothing
	}
	return d, err
}

func rate(d done) float64 { return float64(d.Requests) / d.Elapsed.Seconds() }

// cpu is the CPU time per request, in microseconds.
func cpu(d done) float64 { return d.CPU.Seconds() * 1e6 / float64(d.Requests) }

func (r *row) median(of func(done) float64) float64 {
	list := make([]float64, len(r.done))
	for i, d := range r.done {
		list[i] = of(d)
	}
	return median(list)
}

// ratios are those to wrk, each within one round, in ascending order.
func (r *row) ratios(of func(done) float64) []float64 {
	list := make([]float64, len(r.done))
	for i, d := range r.done {
		list[i] = of(d) / of(r.wrk.done[i])
	}
	slices.Sort(list)
	return list
}

// ratio is the median of the ratios to wrk.
func (r *row) ratio(of func(done) float64) float64 { return median(r.ratios(of)) }

// spread is the median of the ratios and the range of their middle half, which
// says how much of the ratio may be the machine's.
func (r *row) spread(of func(done) float64) string {
	list := r.ratios(of)
	quarter := len(list) / 4
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(list), list[quarter], list[len(list)-1-quarter])
}

func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

// judged says whether the bars are for this row.
func (r *row) judged() bool { return r.client.name == judgedClient && r.group.bars != bars{} }

// verdict says whether the bars hold, and which does not.
func (r *row) verdict() (string, bool) {
	b := r.group.bars
	if !r.judged() {
		return "", true
	}
	fast, cheap := r.ratio(rate) >= b.rate, r.ratio(cpu) <= b.cpu
	switch {
	case fast && cheap:
		return "holds", true
	case fast:
		return fmt.Sprintf("TOO COSTLY: CPU at most %.2f", b.cpu), false
	case cheap:
		return fmt.Sprintf("TOO SLOW: rate at least %.2f", b.rate), false
	}
	return fmt.Sprintf("TOO SLOW AND COSTLY: rate at least %.2f, CPU at most %.2f", b.rate, b.cpu), false
}

func (t *table) held() bool {
	return !slices.ContainsFunc(t.rows, func(r *row) bool { _, ok := r.verdict(); return !ok })
}

// print prints the medians.
func (t *table) print(w io.Writer, o options, tools *tools) {
	fmt.Fprintf(w, "The sampler beside wrk: medians of %d rounds of %d s each in turn; processors: %s.\n", o.rounds, o.seconds, o.pin)
	fmt.Fprintln(w, "A ratio is to wrk in the same round: the median, and in brackets the middle half of the rounds.")
	fmt.Fprintf(w, "Bars: keep-alive, rate at least %.2f of wrk's, CPU per request at most %.2f; fresh, %.2f and %.2f.\n\n",
		keepAliveBars.rate, keepAliveBars.cpu, freshBars.rate, freshBars.cpu)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "to, connections\tclient\trequests/s\tof wrk's\tCPU µs/request\tof wrk's\tbars")
	last := ""
	for _, r := range t.rows {
		title := r.group.title
		if title == last {
			title = ""
		}
		last = r.group.title
		if r.failed != nil {
			fmt.Fprintf(tw, "%s\t%s\tfailed\t\t\t\t\n", title, r.client.name)
			continue
		}
		rates, cpus := "", ""
		if r.wrk != nil {
			rates, cpus = r.spread(rate), r.spread(cpu)
		}
		verdict, _ := r.verdict()
		fmt.Fprintf(tw, "%s\t%s\t%.0f\t%s\t%.1f\t%s\t%s\n", title, r.client.name, r.median(rate), rates, r.median(cpu), cpus, verdict)
	}
	tw.Flush()
	for _, r := range t.rows {
		if r.failed != nil {
			fmt.Fprintf(w, "%s, %s: %v\n", r.group.title, r.client.name, r.failed)
		}
	}
	for _, note := range t.notes {
		fmt.Fprintln(w, note)
	}
	for _, m := range tools.missing {
		fmt.Fprintln(w, "not shown:", m)
	}
}

// memoryBar is how much may be resident, however many requests are sent.
const memoryBar = 100 << 20

// memory sends very many requests and says how much memory that took.
func memory(ctx context.Context, w io.Writer, o options, s *servers) (bool, error) {
	l := load{URL: s.straight, Connections: 64, Reuse: true, Requests: o.memory}
	d, err := sampler(o, judgedClient, false, false).run(ctx, l)
	if err != nil {
		return false, fmt.Errorf("memory: %w", err)
	}
	verdict := "holds"
	if d.Memory >= memoryBar {
		verdict = "TOO MUCH"
	}
	fmt.Fprintf(w, "\n%d requests on %d connections in %.0f s: at most %.0f MiB resident; bar 100 MiB: %s\n",
		d.Requests, l.Connections, d.Elapsed.Seconds(), float64(d.Memory)/(1<<20), verdict)
	return d.Memory < memoryBar, nil
}
