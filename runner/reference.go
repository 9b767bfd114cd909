package runner

import "reflect"

// ActionReference is what there is to say of an action to those who write steps.
type ActionReference struct {
	Name string
	// Changes says that the action is part of bringing about a scenario's state.
	Changes bool
	// Fields is the struct that the action's body is decoded into. Its doc
	// comments describe the action; what the types do not say of its keys stands
	// in the tag "schema", whose words internal/reference explains.
	Fields reflect.Type
}

// Reference returns all actions, in the order of the table. The JSON Schema of
// scenarios and the reference page are generated from it.
func Reference() []ActionReference {
	all := make([]ActionReference, len(actions))
	for i, a := range actions {
		all[i] = ActionReference{Name: a.name, Changes: a.changes, Fields: a.fields}
	}
	return all
}
