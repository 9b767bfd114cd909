package gloomesh

import (
	"fmt"

	"github.com/meshassay/assay/sandbox/strict"
)

// The states of an object, as the API names them.
const (
	accepted = "ACCEPTED" // in force
	invalid  = "INVALID"  // wrong in itself, or against another object
	failed   = "FAILED"   // right, but the sandbox cannot do it
)

// A problem is one reason why an object is not accepted.
type problem struct {
	state string // invalid or failed
	text  string // begins with the field's path
}

// problems collects every reason, not only the first.
type problems []problem

var _ strict.Problems = (*problems)(nil)

// Wrong notes what is wrong with a field.
func (p *problems) Wrong(path, text string) { p.add(problem{invalid, path + ": " + text}) }

// NotHonoured notes a field that the API has and the sandbox does not model.
func (p *problems) NotHonoured(path string) { p.failf(path, notHonoured) }

const notHonoured = "not honoured by the sandbox"

// invalidf notes that the field at path is wrong, and what would be right.
func (p *problems) invalidf(path, format string, args ...any) {
	p.Wrong(path, fmt.Sprintf(format, args...))
}

// failf notes that the sandbox cannot do what the field at path asks for.
func (p *problems) failf(path, format string, args ...any) {
	p.add(problem{failed, path + ": " + fmt.Sprintf(format, args...)})
}

// add ignores a repetition: the same fault is often seen from several gateways.
func (p *problems) add(one problem) {
	for _, old := range *p {
		if old == one {
			return
		}
	}
	*p = append(*p, one)
}

// state is INVALID if anything is wrong, FAILED if all is right but something
// cannot be done, and ACCEPTED without problems.
func (p problems) state() string {
	state := accepted
	for _, one := range p {
		if one.state == invalid {
			return invalid
		}
		state = failed
	}
	return state
}

// texts are the errors of a status.
func (p problems) texts() []string {
	var out []string
	for _, one := range p {
		out = append(out, one.text)
	}
	return out
}
