package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// objectView is an object that a step which did not pass is about.
type objectView struct {
	Look, Sign, Cluster, Name, Title, State string
	Generation                              string
	Messages                                []string
}

// eventView is an event of such an object.
type eventView struct{ Time, Type, Look, Cluster, Object, Reason, Count, Message string }

// most of them on a page: what made the record may be anybody.
const (
	objectsOnPage  = 100
	eventsOnPage   = 100
	messagesOnPage = 10
)

func (v *stepView) evidence(s record.Step) {
	objects, more := some(s.Objects, objectsOnPage)
	v.MoreObjects = more
	for _, o := range objects {
		x := objectView{
			Look: string(record.Passed), Cluster: oneLine(o.Cluster, longestName), Name: oneLine(objectName(o), longestLine), Title: oneLine(o.Resource, longestLine),
			State: oneLine(o.State, longestLine), Generation: generation(o), Sign: "as it should be",
		}
		switch {
		case o.Missing:
			x.Look, x.Sign = string(record.Failed), "is not there"
		case o.Deviates():
			x.Look, x.Sign = string(record.Failed), "not as it should be"
		case o.Stray:
			x.Look, x.Sign = string(record.Undecided), "of no step"
		}
		messages, left := some(o.Messages, messagesOnPage)
		for _, m := range messages {
			x.Messages = append(x.Messages, block(m))
		}
		if left > 0 {
			x.Messages = append(x.Messages, fmt.Sprintf("and %d more, in the record", left))
		}
		v.Objects = append(v.Objects, x)
	}
	events, more := some(s.Events, eventsOnPage)
	v.MoreEvents = more
	for _, e := range events {
		x := eventView{
			Time: clock(e.Last), Type: "Normal", Look: string(record.Skipped), Cluster: oneLine(e.Cluster, longestName), Object: oneLine(e.Object, longestLine),
			Reason: oneLine(e.Reason, longestName), Count: strings.Trim(often(e.Count), " ()"), Message: oneLine(e.Message, 2*longestLine),
		}
		if e.Type != "Normal" { // there are no others than warnings
			x.Type, x.Look = "Warning", string(record.Failed)
		}
		v.Events = append(v.Events, x)
	}
	v.Again = oneLine(s.Again, 2*longestLine)
}

// generation is the generation of an object, and the one that its status is of.
func generation(o record.Object) string {
	switch {
	case o.Generation == 0 || o.Missing:
		return ""
	case o.Observed != 0 && o.Observed != o.Generation:
		return fmt.Sprintf("%d (status of %d)", o.Generation, o.Observed)
	}
	return fmt.Sprint(o.Generation)
}
