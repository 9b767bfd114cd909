package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A refused apply leaves the object's content; that its fields were taken over
// before must be told, or it could not be undone.
func TestARefusedApplyGivesBackWhatItTookOver(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-refused"))
	kubectls := o.DeepCopy()
	if err := c.api().Create(t.Context(), kubectls, client.FieldOwner("kubectl-client-side-apply")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete(context.WithoutCancel(t.Context()), kubectls) })
	before := read(t, c, o)
	o.Object["dta"] = map[string]any{}
	done, err := c.Apply(t.Context(), o)
	if err == nil || done.What != Changed || done.Before == nil || done.After == nil {
		t.Fatalf("%s: %v, want a refusal, and the take-over told", done.What, err)
	}
	if err := c.Restore(t.Context(), done.Before); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(owners(before), owners(read(t, c, o))); diff != "" {
		t.Errorf("owners of fields (-want +got):\n%s", diff)
	}
	// The second time there is nothing to take over.
	first := apply(t, c, object(t, fmt.Sprintf(settings, "assay-refused"))).Before
	if done, err := c.Apply(t.Context(), o); err == nil || done.What != "" {
		t.Errorf("%s: %v, want a refusal that did nothing", done.What, err)
	}
	if err := c.Restore(t.Context(), first); err != nil {
		t.Fatal(err)
	}
}

// Who applies what is there already becomes an owner of it; that is undone too.
func TestAnApplyThatOnlyTakesFieldsIsAChange(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-owner"))
	theirs := o.DeepCopy()
	if err := c.api().Create(t.Context(), theirs, client.FieldOwner("kubectl-create")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete(context.WithoutCancel(t.Context()), theirs) })
	before := read(t, c, o)
	done := apply(t, c, o)
	if done.What != Changed || !Same(before, done.After) {
		t.Fatalf("%s, want changed, with the same content", done.What)
	}
	if again := apply(t, c, o); again.What != Unchanged {
		t.Errorf("again: %s", again.What)
	}
	if err := c.Restore(t.Context(), done.Before); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(owners(before), owners(read(t, c, o))); diff != "" {
		t.Errorf("owners of fields (-want +got):\n%s", diff)
	}
}

// lossy loses the requests of one method, or the answers to them, as often as
// it is told.
type lossy struct {
	http.RoundTripper
	method  string
	times   *atomic.Int64
	arrives bool
}

func (l lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != l.method || l.times.Add(-1) < 0 {
		return l.RoundTripper.RoundTrip(r)
	}
	if l.arrives {
		answer, err := l.RoundTripper.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		answer.Body.Close()
	}
	return nil, io.ErrUnexpectedEOF
}

// lose makes a cluster's connection lossy.
func lose(t *testing.T, c *Cluster, method string, n int64, arrives bool) {
	t.Helper()
	times := new(atomic.Int64)
	times.Store(n)
	c.config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return lossy{rt, method, times, arrives} })
	if err := c.Refresh(); err != nil {
		t.Fatal(err)
	}
}

// A busy moment of the API server must not leave behind what is to be put back.
func TestDeleteTriesAgain(t *testing.T) {
	c := sandbox(t, "mgmt")
	made := apply(t, c, object(t, fmt.Sprintf(settings, "assay-again"))).After
	lose(t, c, http.MethodDelete, 3, false)
	if err := c.Delete(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if live := read(t, c, made); live != nil {
		t.Error("it is still there")
	}
}

// What the server did is put back even if its answer never came.
func TestAnApplyWhoseAnswerIsLostIsTold(t *testing.T) {
	for _, tt := range []struct {
		reason  string
		arrives bool
		want    string
	}{{"the request is lost", false, ""}, {"the answer is lost", true, Created}} {
		t.Run(tt.reason, func(t *testing.T) {
			c := sandbox(t, "mgmt")
			lose(t, c, http.MethodPatch, 1, tt.arrives)
			done, err := c.Apply(t.Context(), object(t, fmt.Sprintf(settings, "assay-lost")))
			if err == nil || done.What != tt.want {
				t.Fatalf("%q: %v, want it %q", done.What, err, tt.want)
			}
			if done.After == nil {
				return
			}
			if err := c.Delete(t.Context(), done.After); err != nil {
				t.Fatal(err)
			}
			if live := read(t, c, done.After); live != nil {
				t.Error("it is still there")
			}
		})
	}
}
