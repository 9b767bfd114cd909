package sample

import (
	"bytes"
	"sort"
	"sync"
	"time"
)

// Example is one answer, or one fault, as it came.
type Example struct {
	Outcome string // "" when Fault is set
	Fault   Fault
	Which   string // "first" or "last"
	Number  int64
	At      time.Duration // since the run began
	Status  int           // 0 when no status line came
	Detail  string
	Header  []string // the status line and the header lines as they came, up to 2 KiB
	Body    string   // the first 200 bytes
}

// Examples collects the first and the last answer of each outcome and of each
// fault. The zero value is ready; it may be read while a run goes on. Of more
// than 64 kinds the first 64 are kept.
type Examples struct {
	mu    sync.Mutex
	kinds map[kind]*pair
}

type kind struct {
	outcome string
	fault   Fault
}

type pair struct{ first, last kept }

// kept is an example before it is made readable; its buffers are used again.
type kept struct {
	Observation
	head, body []byte
}

const (
	kindsKept = 64
	bodyKept  = 200
)

// add offers an answer. Requests end in any order: the number decides.
func (e *Examples) add(o *Observation, head, body []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := kind{o.Outcome, o.Fault}
	p := e.kinds[k]
	if p == nil {
		if len(e.kinds) >= kindsKept {
			return
		}
		if e.kinds == nil {
			e.kinds = make(map[kind]*pair)
		}
		p = new(pair)
		e.kinds[k] = p
		p.first.set(o, head, body)
		p.last.set(o, head, body)
		return
	}
	if o.Number < p.first.Number {
		p.first.set(o, head, body)
	}
	if o.Number > p.last.Number {
		p.last.set(o, head, body)
	}
}

func (k *kept) set(o *Observation, head, body []byte) {
	k.Observation = *o
	k.head = append(k.head[:0], head...)
	k.body = append(k.body[:0], body[:min(len(body), bodyKept)]...)
}

// List returns the examples: outcomes by name, then faults, first before last.
// What came only once is there once.
func (e *Examples) List() []Example {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []Example
	for _, p := range e.kinds {
		list = append(list, p.first.example("first"))
		if p.last.Number != p.first.Number {
			list = append(list, p.last.example("last"))
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Fault != b.Fault {
			return a.Fault < b.Fault
		}
		if a.Outcome != b.Outcome {
			return a.Outcome < b.Outcome
		}
		return a.Number < b.Number
	})
	return list
}

func (k *kept) example(which string) Example {
	return Example{
		Outcome: k.Outcome, Fault: k.Fault, Which: which, Number: k.Number, At: k.At,
		Status: k.Status, Detail: k.Detail, Header: lines(k.head), Body: string(bytes.ToValidUTF8(k.body, []byte("?"))),
	}
}

// lines are those of the head, up to the empty one.
func lines(head []byte) []string {
	var list []string
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		list = append(list, string(bytes.ToValidUTF8(line, []byte("?"))))
		head = rest
	}
	return list
}
