package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestExitCodesAndHelp(t *testing.T) {
	tests := []struct {
		args           string
		code           int
		stdout, stderr string // that must be in there
	}{
		{"", exitWell, "assay new scenario halves --expect blue=50%,green=50%", ""},
		{"--help", exitWell, "assay check ", ""},
		{"help sandbox", exitWell, "assay sandbox --kubeconfig ~/.kube/sandbox", ""},
		{"check --help", exitWell, "assay check --environment tutorial", ""},
		{"chekc", exitMisused, "", `unknown command "chekc"`},
		{"--colour", exitMisused, "", "unknown flag: --colour"},
		{"sandbox mgmt", exitMisused, "", `unknown argument "mgmt" (a command goes after --: assay sandbox -- mgmt)`},
		{"sandbox --kubeconfig", exitMisused, "", "flag needs an argument: --kubeconfig"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := run(strings.Fields(tt.args), &stdout, &stderr); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.stdout) {
				t.Errorf("standard output\n%s\nwant in it %s", stdout.String(), tt.stdout)
			}
			if !strings.Contains(stderr.String(), tt.stderr) || tt.stderr == "" && stderr.Len() > 0 {
				t.Errorf("standard error\n%s\nwant in it %s", stderr.String(), tt.stderr)
			}
		})
	}
}
