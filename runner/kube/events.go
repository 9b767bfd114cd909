package kube

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is what a cluster has noted of an object, as often as it came.
type Event struct {
	Object  string // "pod shop/blue-7d9"
	Type    string // Normal or Warning
	Reason  string
	Message string
	Count   int64
	Last    time.Time
}

// eventsPage is how many events are read at once: a busy namespace has tens of
// thousands, and the API server keeps them for an hour.
const eventsPage = 2000

// word is what makes events one.
type word struct{ object, kind, reason, message string }

// Events reads what was noted in a namespace since a time. Those of which
// relevant says no are left out. The same word of the same object is one event
// with its count. They come in no order; beside an error, and when ctx ends, are
// those that were read until then. (The events of events.k8s.io are the same
// objects: the core group shows all of them.)
func (c *Cluster) Events(ctx context.Context, namespace string, since time.Time, relevant func(object string, warning bool) bool) ([]Event, error) {
	found := make(map[word]*Event)
	list := &corev1.EventList{}
	var err error
	// The order is that of their names, so that the latest may be on any page.
	for more := true; more && err == nil; more = list.Continue != "" {
		if err = c.api().List(ctx, list, client.InNamespace(namespace), client.Limit(eventsPage), client.Continue(list.Continue)); err == nil {
			collect(found, list.Items, since, relevant)
		}
	}
	var events []Event
	for _, e := range found {
		events = append(events, *e)
	}
	return events, err
}

// collect adds events to those that were found.
func collect(found map[word]*Event, items []corev1.Event, since time.Time, relevant func(object string, warning bool) bool) {
	for i := range items {
		e := &items[i]
		object := strings.ToLower(e.InvolvedObject.Kind) + " " + strings.TrimPrefix(e.InvolvedObject.Namespace+"/"+e.InvolvedObject.Name, "/")
		last, count := whenOf(e)
		if last.Before(since) || !relevant(object, e.Type == corev1.EventTypeWarning) {
			continue
		}
		w := word{object, e.Type, e.Reason, e.Message}
		if found[w] == nil {
			found[w] = &Event{Object: object, Type: e.Type, Reason: e.Reason, Message: e.Message}
		}
		found[w].Count += count
		if last.After(found[w].Last) {
			found[w].Last = last
		}
	}
}

// whenOf is when an event came last, and how often it came. Writers of the two
// APIs say it in different fields.
func whenOf(e *corev1.Event) (last time.Time, count int64) {
	last, count = e.LastTimestamp.Time, int64(max(1, e.Count))
	if s := e.Series; s != nil {
		last, count = s.LastObservedTime.Time, int64(max(1, s.Count))
	}
	for _, t := range []time.Time{e.EventTime.Time, e.FirstTimestamp.Time, e.CreationTimestamp.Time} {
		if last.IsZero() {
			last = t
		}
	}
	return last, count
}
