package proofread

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// sandbox is the environment of all tests.
func sandbox(t testing.TB) *environment.Environment {
	t.Helper()
	env, err := environment.Load("sandbox", "testdata/environments", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// checked checks the page of a tutorial of testdata, from its home.
func checked(t *testing.T, folder string) Result {
	t.Helper()
	env := sandbox(t)
	t.Chdir(folder)
	set, err := scenario.Load("scenarios")
	if err != nil || len(set.Broken) > 0 {
		t.Fatal(err, set.Broken)
	}
	page, ms, err := chapter.Load(filepath.Join("docs", "shop.md"), ".")
	if err != nil {
		t.Fatal(err)
	}
	return Check(Options{Root: ".", Environment: env, Scenarios: set.Scenarios}, []*chapter.Page{page}, ms)
}

// A tutorial in which everything fits together: nothing is found, and it was looked at.
func TestAGoodTutorial(t *testing.T) {
	r := checked(t, "testdata/good")
	for _, f := range r.Findings {
		t.Errorf("%s: %s", f.Kind, f.Error())
	}
	if got := fmt.Sprint(r.Headings, r.Blocks, r.Scripts, r.Manifests, r.Proved); got != "6 6 2 4 3" {
		t.Errorf("headings, blocks, scripts, manifests and scenarios: %s, want 6 6 2 4 3", got)
	}
	var applied []string
	for _, a := range r.Applied {
		applied = append(applied, fmt.Sprintf("%s %s", a.Cluster, filepath.ToSlash(a.Origin())))
	}
	want := []string{"mgmt manifests/half.yaml:1", "mgmt manifests/half.yaml:1", "mgmt manifests/green.yaml:1", " manifests/base/service.yaml:1"}
	if !slices.Equal(applied, want) {
		t.Errorf("applied %q, want %q", applied, want)
	}
}

// The same tutorial with everything in it that can be wrong.
func TestABadTutorial(t *testing.T) {
	r := checked(t, "testdata/bad")
	var ms document.Mistakes
	kinds := make(map[Kind]bool)
	var others bytes.Buffer
	for _, f := range r.Findings {
		ms = append(ms, f.Mistake)
		kinds[f.Kind] = true
		if !f.Other.IsZero() {
			fmt.Fprintf(&others, "%s contradicts %s\n", f.Pos, f.Other)
		}
	}
	var b bytes.Buffer
	ms.Show(&b)
	t.Chdir("../..")
	golden.Compare(t, "testdata/bad.want", b.String()+"\n"+strings.ReplaceAll(others.String(), sandbox(t).File, "sandbox.yaml"))
	for _, k := range []Kind{Page, Uncovered, Heading, Missing, Unreadable, Percentage, Unknown} {
		if !kinds[k] {
			t.Errorf("nothing is found of the kind %s", k)
		}
	}
}

func TestPercentagesThatCount(t *testing.T) {
	names := []string{"blue", "green", "canary"}
	for text, want := range map[string]string{
		"*blue*(`40%`),*green*(`40%`) and *canary*(`20%`),":   "blue 40, green 40, canary 20",
		"`blue` (40 %), **green**: 12.5%":                     "blue 40, green 12.5",
		"20 % of the traffic goes to *canary*":                "canary 20",
		"`50%` to *green*, 30% blue":                          "green 50, blue 30",
		"Blue gets 40 %":                                      "blue 40",
		"| **blue**  |  40 % | 12 ms |":                       "blue 40",
		"green | 33.3% | canary":                              "green 33.3",
		"| 40% | blue | 20% | green |":                        "",
		"Blue receives only 5% of it":                         "blue 5",
		"evergreen (40%), blueish 40%, 40% bluer":             "",
		"blue is faster: it uses 40% less memory than green":  "",
		"within 3 %, as canary is slow; 99 % of blue's calls": "",
	} {
		var got []string
		for _, s := range newOutcomes(names).stated(text) {
			got = append(got, fmt.Sprintf("%s %g", s.name, s.percent))
		}
		slices.Sort(got)
		sorted := strings.Split(want, ", ")
		slices.Sort(sorted)
		if strings.Join(got, ", ") != strings.Join(sorted, ", ") {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
}

// A page may round what a scenario says exactly, but for all and nothing.
func TestWhatAPercentageSays(t *testing.T) {
	for _, tt := range []struct {
		told   string
		wanted float64
		want   bool
	}{
		{"33", 100.0 / 3, true}, {"33.3", 100.0 / 3, true}, {"33.4", 100.0 / 3, false}, {"34", 100.0 / 3, false},
		{"40", 40, true}, {"40.0", 40, true}, {"40", 39, false}, {"40", 40.5, true}, {"40.0", 40.1, false},
		{"100", 99.9, false}, {"99", 100, false}, {"100", 100, true}, {"0", 0.1, false}, {"0", 0, true}, {"0.4", 0, false},
	} {
		if got := newStatement("blue", tt.told, "").says(tt.wanted); got != tt.want {
			t.Errorf("%s%% for %g%%: got %v, want %v", tt.told, tt.wanted, got, tt.want)
		}
	}
}

// What cannot be known without running a command is passed over, and what a
// command makes is not missed.
func TestFilesThatAreMissed(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "there.yaml"), []byte("kind: X\napiVersion: v1\nmetadata: {name: x}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for commands, want := range map[string]string{
		"kubectl apply -f there.yaml":                                "",
		"kubectl apply -f gone.yaml":                                 "gone.yaml",
		"kubectl apply --filename=gone.yaml":                         "gone.yaml",
		"kubectl apply -fgone.yaml":                                  "gone.yaml",
		"X=$TUTORIAL_HOME/a; kubectl apply -f ${X}/gone.yaml":        "a/gone.yaml",
		"kubectl apply -f \"$TUTORIAL_HOME/gone.yaml\"":              "gone.yaml",
		"cat <<E | kubectl apply -f -\nE":                            "",
		"kubectl apply -f $SOMEWHERE/gone.yaml":                      "",
		"kubectl apply -f https://example.com/gone.yaml":             "",
		"kubectl apply -f /etc/gone.yaml":                            "",
		"kubectl apply -f '*.yaml'":                                  "",
		"cd $SOMEWHERE; kubectl apply -f gone.yaml":                  "",
		"(cd $SOMEWHERE; ls); kubectl apply -f gone.yaml":            "gone.yaml",
		"cd ..; kubectl apply -f gone.yaml":                          "",
		"cat > gone.yaml <<E\nE\nkubectl apply -f gone.yaml":         "",
		"git clone https://example.com/x/y.git; cd y; ./bin/gone.sh": "",
		"bash gone.sh":                                  "gone.sh",
		"source ./gone.sh && true":                      "gone.sh",
		"sudo ./gone.sh | grep x":                       "gone.sh",
		"kustomize build gone | envsubst":               "gone",
		"kubectl kustomize gone":                        "gone",
		"envsubst < gone.yaml":                          "gone.yaml",
		"yq e .a gone.yaml | kubectl apply -f -":        "gone.yaml",
		"[ -f gone.sh ] && source gone.sh":              "",
		"if [[ -e bin/gone.sh ]]; then bin/gone.sh; fi": "",
		"[ -f other.sh ] && source gone.sh":             "gone.sh",
		"x=$(cat gone.yaml)":                            "gone.yaml",
		"cd gone; kubectl apply -f gone.yaml":           "gone",
	} {
		page, _ := chapter.Parse(filepath.Join(home, "page.md"), []byte("<!-- -->\n\n```sh\n"+commands+"\n```\n"), nil)
		r := Check(Options{Root: home, Environment: sandbox(t)}, []*chapter.Page{page}, nil)
		var got []string
		for _, f := range r.Findings {
			if f.Kind == Missing {
				_, name, _ := strings.Cut(f.Text, ": ")
				got = append(got, name)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: misses %q, want %q", commands, got, want)
		}
	}
}

// Manifests that stand in the commands themselves are as good as files.
func TestHereDocuments(t *testing.T) {
	const object = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: shop, namespace: a}\n"
	get := "kubectl get trafficpolicy shop\nkubectl get trafficpolicy gone\n"
	const missed = "page.md:%d: no manifest has a trafficpolicy gone"
	for commands, want := range map[string]string{
		"kubectl --context=$MGMT apply -f - <<E\n" + object + "E\n" + get:                                                                "page.md:5: applied to mgmt; " + fmt.Sprintf(missed, 10),
		"cat <<'E' | kubectl apply -f -\n---\n" + object + "E\n" + get:                                                                   "page.md:6: applied to ; " + fmt.Sprintf(missed, 11),
		"cat > made.yaml <<E\n" + object + "E\nkubectl apply -f made.yaml\n" + get:                                                       fmt.Sprintf(missed, 11),
		"kubectl apply -f - <<-E\n\t" + strings.ReplaceAll(strings.TrimSpace(object), "\n", "\n\t") + "\n\tE\n":                          "page.md:5: applied to ",
		"kubectl apply -f - <<E\nkind: [\nE\n":                                                                                           "page.md:5: did not find expected node content",
		"kubectl --context=$MGMT apply -f - <<E\n" + strings.Replace(object, "shop", "$X-p", 1) + "E\nkubectl get trafficpolicy sho-p\n": "page.md:5: applied to ",
		"kubectl apply -f - <<E\n$(cat template)\nE\n":                                                                                   "",
		"kubectl apply -f - <<E\nE\n":                                                                                                    "",
	} {
		page, _ := chapter.Parse("page.md", []byte("<!-- -->\n\n```sh\n"+commands+"```\n"), nil)
		r := Check(Options{Root: t.TempDir(), Environment: sandbox(t)}, []*chapter.Page{page}, nil)
		var got []string
		for _, a := range r.Applied {
			got = append(got, fmt.Sprintf("%s:%d: applied to %s", a.File, a.Line, a.Cluster))
		}
		for _, f := range r.Findings {
			if f.Kind != Uncovered {
				got = append(got, fmt.Sprintf("%s:%d: %s", f.Pos.File, f.Pos.Line, f.Text))
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: got %q, want %q", commands, strings.Join(got, "; "), want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, file := range []string{"testdata/good/docs/shop.md", "testdata/bad/docs/shop.md"} {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Add("```sh\nkubectl --context=${!X} get a/b/c $(x `y`) <<<z; cd; -\n```")
	env := sandbox(f)
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, source string) {
		page, ms := chapter.Parse(filepath.Join(root, "page.md"), []byte(source), nil)
		for _, finding := range Check(Options{Root: root, Environment: env}, []*chapter.Page{page}, ms).Findings {
			if finding.Pos.Line < 1 || finding.Text == "" {
				t.Errorf("%+v", finding)
			}
		}
	})
}
