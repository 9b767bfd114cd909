package gloomesh

import (
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/meshassay/assay/sandbox/strict"
)

// operators are those of an ObjectSelector's expressions, as Kubernetes' own
// selectors have them.
var operators = map[string]selection.Operator{
	"Equals":       selection.Equals,
	"DoubleEquals": selection.DoubleEquals,
	"NotEquals":    selection.NotEquals,
	"In":           selection.In,
	"NotIn":        selection.NotIn,
	"Exists":       selection.Exists,
	"DoesNotExist": selection.DoesNotExist,
	"GreaterThan":  selection.GreaterThan,
	"LessThan":     selection.LessThan,
}

func decodeExpressions(selector *strict.Object) []kubelabels.Requirement {
	var out []kubelabels.Requirement
	for _, o := range selector.Objects("expressions") {
		key, values := o.Text("key"), o.Texts("values")
		operator := selection.Equals // the first one, where none is given
		if o.Set("operator") {
			operator = operators[o.OneOf("operator", "unknown", sortedKeys(operators)...)]
		}
		o.Done()
		if operator == "" {
			continue // said already
		}
		r, err := kubelabels.NewRequirement(key, operator, values)
		if err != nil {
			o.RefuseAll("%v", err)
			continue
		}
		out = append(out, *r)
	}
	return out
}

// meets tells whether labels satisfy all expressions.
func (s objectSelector) meets(labels map[string]string) bool {
	for _, r := range s.expressions {
		if !r.Matches(kubelabels.Set(labels)) {
			return false
		}
	}
	return true
}
