package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
)

// How many objects and events a terminal is shown. The page and the record
// have all of them.
const (
	objectsShown  = 12
	warningsShown = 6
	normalsShown  = 3
)

// evidence is the objects that a step which did not pass is about, a line each,
// and beneath it what is not as it should be; and their events.
func evidence(s record.Step) string {
	var b strings.Builder
	if len(s.Objects) > 0 {
		b.WriteString("objects:\n" + indent(objectLines(s.Objects), "  "))
	}
	if events, more := tellingEvents(s); len(events) > 0 {
		b.WriteString("events:\n" + indent(eventLines(events), "  "))
		if more > 0 {
			fmt.Fprintf(&b, "  and %s, in the record\n", plural(more, "other"))
		}
	}
	return b.String()
}

func objectLines(objects []record.Object) string {
	// What deviates is shown however much it is, and it comes first.
	most := max(objectsShown, len(objects)-len(healthy(objects)))
	shown, more := some(objects, most)
	var rows [][]string
	for _, o := range shown {
		mark := "  "
		if o.Deviates() || o.Stray {
			mark = "! "
		}
		rows = append(rows, []string{mark + name(o.Cluster) + "  ", name(objectName(o)), condition(o)})
	}
	lines := strings.Split(align(rows, 2), "\n")
	var b strings.Builder
	for i, o := range shown {
		b.WriteString(lines[i] + "\n")
		for _, m := range o.Messages {
			b.WriteString(indent(printable(m), "     "))
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "and %s as they should be\n", plural(more, "more object"))
	}
	return b.String()
}

func healthy(objects []record.Object) []record.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o record.Object) bool { return o.Deviates() || o.Stray })
}

// objectName is "trafficpolicy gloo-mesh/canary".
func objectName(o record.Object) string {
	if o.Namespace == "" {
		return strings.ToLower(o.Kind) + " " + o.Name
	}
	return strings.ToLower(o.Kind) + " " + o.Namespace + "/" + o.Name
}

// condition is how an object is, on one line: its state, and its generation
// where a status is of one. (That it is of another one is among its messages.)
func condition(o record.Object) string {
	if o.Missing {
		return strings.TrimPrefix(printable(o.State)+": is not there", ": ")
	}
	var parts []string
	if o.State != "" {
		parts = append(parts, printable(o.State))
	}
	if o.Observed != 0 && !o.Stray {
		parts = append(parts, fmt.Sprintf("generation %d", o.Generation))
	}
	return strings.Join(parts, ", ")
}

// shortlyBefore is how much older than a step a warning may be to be shown
// first: one of long ago (a pod that came up slowly) has passed over.
const shortlyBefore = 15 * time.Second

// tellingEvents are the events that a reader is shown first: all of objects that
// are not as they should be, and warnings since shortly before the step. More is
// how many are left out.
func tellingEvents(s record.Step) (events []record.Event, more int) {
	deviates := make(map[string]bool)
	for _, o := range s.Objects {
		deviates[o.Cluster+" "+objectName(o)] = o.Deviates()
	}
	warnings, normals := 0, 0
	for _, e := range s.Events {
		switch {
		case e.Type != "Normal" && warnings < warningsShown && (deviates[e.Cluster+" "+e.Object] || !e.Last.Before(s.Started.Add(-shortlyBefore))):
			warnings++
		case e.Type == "Normal" && normals < normalsShown && deviates[e.Cluster+" "+e.Object]:
			normals++
		default:
			more++
			continue
		}
		events = append(events, e)
	}
	return events, more
}

func eventLines(events []record.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s, %s, %s%s: %s\n", e.Last.UTC().Format("15:04:05"), name(e.Cluster), name(e.Object), name(e.Reason), often(e.Count), printable(strings.ReplaceAll(e.Message, "\n", " ")))
	}
	return b.String()
}

func often(n int64) string {
	if n < 2 {
		return ""
	}
	return " (" + Count(n) + " times)"
}
