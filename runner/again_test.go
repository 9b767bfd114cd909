package runner

import (
	"os/exec"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"go", "tool", "ginkgo", "./suites", "--", "--scenario", "blue-green"}, "go tool ginkgo ./suites -- --scenario blue-green"},
		{[]string{"--scenario", "user-agent-*"}, "--scenario 'user-agent-*'"},
		{[]string{"--environment", "my env.yaml", ""}, "--environment 'my env.yaml' ''"},
		{[]string{"it's", "$HOME", "a;b", "~x", "#no"}, `'it'\''s' '$HOME' 'a;b' '~x' '#no'`},
		{[]string{"a=b"}, "'a=b'"},
	} {
		if got := CommandLine(tt.words...); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// What a shell makes of it is what was meant.
func TestCommandLineInAShell(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	const odd = "a 'b' \"c\" $d `e` \\f *?[g] !h ~ # & | ; < > ( ) { }\n\ti=ü"
	out, err := exec.Command(shell, "-c", CommandLine("printf", "%s|%s", odd, "")).Output()
	if err != nil || string(out) != odd+"|" {
		t.Errorf("got %q (%v), want %q", out, err, odd+"|")
	}
}
