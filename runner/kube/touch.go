package kube

import (
	"context"
	"errors"
)

// Deleted is what a script did to an object that is not there any more.
const Deleted = "deleted"

// Touch is an object that somebody else may create, change or delete, by the
// name of its resource as kubectl takes it.
type Touch struct {
	Resource, Namespace, Name string
	// Before is the object as it was when Remember read it; nil: there was none.
	Before *Object
}

// Misplaced says that a namespace is given for a kind that lives in none, or
// the other way round.
type Misplaced struct {
	Resource   string
	Namespaced bool
}

func (e *Misplaced) Error() string {
	if e.Namespaced {
		return e.Resource + " live in a namespace, and none is given"
	}
	return e.Resource + " live in no namespace, and one is given"
}

// Remember reads the object before anybody touches it. A kind that is not served
// is no error: it may come.
func (c *Cluster) Remember(ctx context.Context, t *Touch) error {
	_, live, err := c.touched(ctx, t)
	t.Before = live
	return err
}

func (c *Cluster) touched(ctx context.Context, t *Touch) (resource Resource, live *Object, err error) {
	resource, err = c.Find(t.Resource)
	var none *NoKind
	if errors.As(err, &none) {
		return Resource{}, nil, nil
	}
	if err != nil {
		return resource, nil, err
	}
	if resource.Namespaced != (t.Namespace != "") {
		return resource, nil, &Misplaced{t.Resource, resource.Namespaced}
	}
	live, err = c.settled(ctx, resource.manifest(t))
	return resource, live, err
}

// manifest is an object that says no more than which one it is.
func (r Resource) manifest(t *Touch) *Object {
	o := &Object{}
	o.SetGroupVersionKind(r.Kind)
	o.SetNamespace(t.Namespace)
	o.SetName(t.Name)
	return o
}

// Since reads the object again and says what has become of it since Remember; What
// is empty when there was none and is none. After is the object as it is, or
// when it is gone as it was. Where it cannot be read the worst is assumed, for
// what is put back needlessly does no harm: the result counts beside the error.
func (c *Cluster) Since(ctx context.Context, t *Touch) (Applied, error) {
	resource, live, err := c.touched(ctx, t)
	done := Applied{Resource: resource.String(), What: Unchanged, Before: t.Before, After: live}
	switch before := t.Before; {
	case err != nil && before != nil:
		done.What, done.After = Changed, before
	case err != nil && resource.Plural != "":
		done.What, done.After = Created, resource.manifest(t)
	case before == nil && live == nil, err != nil:
		return Applied{}, err
	case before == nil:
		done.What = Created
	case live == nil:
		done.What, done.After = Deleted, before
	case before.GetUID() != live.GetUID() || !untouched(before, live):
		done.What = Changed
	}
	if resource.Plural == "" { // its kind is gone, and the object with it
		done.Resource = t.Resource
	}
	return done, err
}
