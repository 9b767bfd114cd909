package document

import (
	"regexp"
	"strings"
)

// maxName is how long a name may be: as long as a Kubernetes label, since names
// become labels and names of files.
const maxName = 63

var (
	nameLike   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	notInNames = regexp.MustCompile(`[^a-z0-9]+`)
)

// BadName says what is wrong with the name of a scenario, a cluster or an outcome,
// and what would be right. Text is "" when nothing is: a name is like a DNS label.
func BadName(name string) (text, hint string) {
	if len(name) > maxName {
		return "the name is longer than 63 characters", ""
	}
	if nameLike.MatchString(name) {
		return "", ""
	}
	better := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if better != "" {
		hint = "such as " + better
	}
	return "want a name of small letters, digits and dashes, got " + Quote(name), hint
}
