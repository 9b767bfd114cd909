package proofread

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/scenario"
)

// tutorial writes files, the pages among them, and says what is found: each
// finding as "KIND FILE:LINE TEXT".
func tutorial(t *testing.T, files map[string]string) []string {
	t.Helper()
	env := sandbox(t)
	t.Chdir(t.TempDir())
	var pages []string
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, _ := filepath.Glob(pattern)
		pages = append(pages, found...)
	}
	o := Options{Root: ".", Environment: env}
	if _, err := os.Stat("scenarios"); err == nil {
		set, err := scenario.Load("scenarios")
		if err != nil || len(set.Broken) > 0 {
			t.Fatal(err, set.Broken)
		}
		o.Scenarios = set.Scenarios
	}
	var read []*chapter.Page
	for _, name := range pages {
		page, ms, err := chapter.Load(name, ".")
		if err != nil || len(ms) > 0 {
			t.Fatal(err, ms)
		}
		read = append(read, page)
	}
	var all []string
	for _, f := range Check(o, read, nil).Findings {
		text := f.Text
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		all = append(all, fmt.Sprintf("%s %s:%d %s", f.Kind, filepath.ToSlash(f.Pos.File), f.Pos.Line, text))
	}
	return all
}

// finds compares findings with what is wanted: a part of each, in order.
func finds(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// commands is a page with one block that nobody has to prove.
func commands(text string) map[string]string {
	return map[string]string{"page.md": "<!-- -->\n\n```sh\necho\n" + text + "\n```\n"}
}

// besides are the findings but for those of a kind.
func besides(kind Kind, all []string) (left []string) {
	for _, f := range all {
		if !strings.HasPrefix(f, string(kind)+" ") {
			left = append(left, f)
		}
	}
	return left
}

func TestWhatAReaderPutsIn(t *testing.T) {
	for text, want := range map[string]string{
		"export KEY=<your key of the cloud> OTHER=x; source gone.sh": "missing page.md:5 no such script: gone.sh",
		"kubectl --context=<cluster> logs <pod> -n shop":             "",
		"curl http://<ip>:<port>/api | jq .":                         "",
		"kubectl apply -f <file>.yaml":                               "",
		"cat <gone.yaml >made.yaml":                                  "missing page.md:5 no such file: gone.yaml",
		"cat <gone.yaml>made.yaml":                                   "missing page.md:5 no such file: gone.yaml",
		"cat <<EOF >made.yaml\nEOF":                                  "",
		"diff <(echo a) <(echo b)":                                   "",
		"echo 'a <b> c' \"<d e>\"":                                   "",
	} {
		got := besides(Uncovered, tutorial(t, commands(text)))
		if want == "" {
			finds(t, text, got)
			continue
		}
		finds(t, text, got, want)
	}
}

func TestCommandsOfKubectl(t *testing.T) {
	const manifest = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: shop, namespace: a}\n"
	for text, want := range map[string]string{
		"kubectl logs -f -lapp=shop -nshop":                                            "",
		"kubectl logs -p shop":                                                         "",
		"kubectl apply -f gone.yaml":                                                   "missing page.md:5 no such manifest: gone.yaml",
		"kubectl --context=$MGMT trafficpolicies.networking -owide":                    "unknown page.md:5 kubectl has no command trafficpolicies.networking (did you mean get trafficpolicies.networking?)",
		"kubectl pods":                                                                 "unknown page.md:5 kubectl has no command pods",
		"kubectl argo rollouts":                                                        "",
		"kubectl get httproute":                                                        "unknown page.md:5 no manifest has an object of the kind httproute",
		"helm install shop ./chart; kubectl get httproute":                             "",
		"kubectl apply -f https://example.com/x.yaml; kubectl get routes":              "",
		"istioctl install -y; kubectl apply -f there.yaml; kubectl get trafficpolicis": "unknown page.md:5 no manifest has an object of the kind trafficpolicis (did you mean trafficpolicy?)",
		"export CLUSTER1=east; kubectl --context=east get pods":                        "",
		"kubectl --context=east get pods; export CLUSTER1=east":                        "",
		"kubectl --context=east get pods":                                              "unknown page.md:5 no cluster of the environment sandbox has the context east",
		"kind create cluster --name=east; kubectl --context=kind-east get pods":        "",
		"kubectl config rename-context a east; kubectl config use-context east":        "",
		"kubectl apply -k folder":                                                      "missing page.md:5 there is no kustomization.yaml in folder",
	} {
		files := commands(text)
		files["there.yaml"], files["folder/there.yaml"] = manifest, manifest
		got := besides(Uncovered, tutorial(t, files))
		if want == "" {
			finds(t, text, got)
			continue
		}
		finds(t, text, got, want)
	}
}

// TUTORIAL_HOME has other names, and its author has it somewhere else.
func TestOtherNamesOfTheHome(t *testing.T) {
	const script = "#!/bin/sh\n"
	for text, want := range map[string]string{
		"$DEMO_HOME/bin/call.sh\n${DEMO_HOME}/bin/gone.sh":                    "missing page.md:6 no such script: bin/gone.sh (did you mean done.sh?)",
		"$DEMO_HOME/bin/gone.sh":                                              "",
		"DEMO_HOME=/opt/demo\n$DEMO_HOME/bin/call.sh\n$DEMO_HOME/bin/gone.sh": "",
		"export TUTORIAL_HOME=/home/me/tutorial\n$TUTORIAL_HOME/bin/gone.sh":  "missing page.md:6 no such script: bin/gone.sh",
		"cd bin && export BIN=\"$PWD\"\n$BIN/gone.sh":                         "missing page.md:6 no such script: bin/gone.sh",
		"$HOME/bin/call.sh; $HOME/bin/gone.sh":                                "",
	} {
		files := commands(text)
		files["bin/call.sh"], files["bin/done.sh"] = script, script
		got := besides(Uncovered, tutorial(t, files))
		if want == "" {
			finds(t, text, got)
			continue
		}
		finds(t, text, got, want)
	}
	files := commands("git clone https://example.com/me/home.git\ncd home\n./bin/gone.sh")
	env := sandbox(t)
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	page, _ := chapter.Parse(filepath.Join(home, "page.md"), []byte(files["page.md"]), nil)
	var missing int
	for _, f := range Check(Options{Root: home, Environment: env}, []*chapter.Page{page}, nil).Findings {
		if f.Kind == Missing && strings.Contains(f.Text, "bin/gone.sh") {
			missing++
		}
	}
	if missing != 1 {
		t.Errorf("in the clone of the tutorial itself %d files are missed, want 1", missing)
	}
}

// A file that the page shows and the reader writes is not missed, and its objects are known.
func TestFilesThatAReaderWrites(t *testing.T) {
	const object = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata:\n  name: %s\n  namespace: a\n"
	const apply = "\n```sh\nkubectl apply -f half.yaml\nkubectl -n a get trafficpolicy half\n```\n"
	yaml := fmt.Sprintf(object, "half")
	missing := []string{"missing page.md:", "unknown page.md:"}
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a title":      {map[string]string{"page.md": "``` yaml title=\"half.yaml\"\n" + yaml + "```\n" + apply}, nil},
		"a text":       {map[string]string{"page.md": "Create a file `half.yaml`:\n\n```yaml\n" + yaml + "```\n" + apply}, nil},
		"another text": {map[string]string{"page.md": "This is `half.yaml`:\n\n```yaml\n" + yaml + "```\n" + apply}, []string{"unknown page.md:4", "missing page.md:", "unknown page.md:13"}},
		"a file":       {map[string]string{"page.md": "```yaml title=\"half.yaml\"\n" + fmt.Sprintf(object, "hallf") + "```\n" + apply, "half.yaml": yaml}, []string{"unknown page.md:2 no manifest has a trafficpolicy a/hallf (did you mean half?)"}},
		"an include":   {map[string]string{"page.md": "```yaml\n--8<-- \"parts/half.yaml\"\n```\n\n```sh\nkubectl -n a get trafficpolicy half\n```\n", "parts/half.yaml": yaml}, nil},
		"nothing":      {map[string]string{"page.md": apply}, missing},
	} {
		finds(t, name, besides(Uncovered, tutorial(t, tt.files)), tt.want...)
	}
}

// What a script does with its arguments is known from the command that runs it.
func TestArgumentsOfScripts(t *testing.T) {
	const manifest = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: shop, namespace: a}\n"
	for text, want := range map[string]string{
		"bin/deploy.sh \"${CLUSTER1}\" shop\nbin/deploy.sh $CLUSTER2 shop\nbin/deploy.sh $CLUSTER1 shop": "cluster1 shop.yaml:1, cluster2 shop.yaml:1",
		"bash bin/deploy.sh cluster2 shop": "cluster2 shop.yaml:1",
		"source bin/deploy.sh mgmt shop":   "mgmt shop.yaml:1",
		"bin/deploy.sh $WHERE shop":        " shop.yaml:1",
		"bin/deploy.sh mgmt gone":          "missing bin/deploy.sh:4",
		"bin/deploy.sh mgmt $NAME":         "",
		"bin/deploy.sh":                    "",
		"bin/build.sh mgmt":                "mgmt built/shop.yaml:1",
	} {
		env := sandbox(t)
		t.Chdir(t.TempDir())
		for name, text := range map[string]string{
			"bin/deploy.sh": "#!/bin/bash\nset -eu\nsource \"$(dirname \"$0\")/say.sh\"\nkubectl --context=\"$1\" apply -f \"$TUTORIAL_HOME/$2.yaml\"\n",
			"bin/say.sh":    "#!/bin/bash\necho $1\n",
			"bin/build.sh":  "#!/bin/bash\nkubectl kustomize built | kubectl --context $1 apply -f -\n",
			"shop.yaml":     manifest, "built/shop.yaml": manifest, "built/kustomization.yaml": "resources: [shop.yaml]\nnamePrefix: \"\"\n",
		} {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		page, _ := chapter.Parse("page.md", []byte("```sh\n"+text+"\n```\n"), nil)
		r := Check(Options{Root: ".", Environment: env}, []*chapter.Page{page}, nil)
		var got []string
		for _, a := range r.Applied {
			got = append(got, a.Cluster+" "+filepath.ToSlash(a.Origin()))
		}
		for _, f := range r.Findings {
			if f.Kind != Uncovered && f.Kind != Unknown {
				got = append(got, fmt.Sprintf("%s %s:%d", f.Kind, filepath.ToSlash(f.Pos.File), f.Pos.Line))
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, want %q", text, strings.Join(got, ", "), want)
		}
	}
}

// What an API server says of a field is told where the field stands, in a file as
// in a page.
func TestLinesOfFields(t *testing.T) {
	const manifest = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: shop, namespace: a}\nspec:\n  policy:\n    retriez: {}\n"
	text := "# A\n\n```sh\nkubectl apply -f two.yaml\nkubectl apply -f - <<E\n---\n" + manifest + "E\n```\n"
	env := sandbox(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("two.yaml", []byte("# first\n---\n"+manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	page, _ := chapter.Parse("page.md", []byte(text), nil)
	var got []string
	for _, a := range Check(Options{Root: ".", Environment: env}, []*chapter.Page{page}, nil).Applied {
		for _, field := range []string{"spec.policy.retriez", "spec.gone", ""} {
			got = append(got, fmt.Sprintf("%s:%d", a.File, a.lineOf(field)))
		}
	}
	if want := "two.yaml:8 two.yaml:6 two.yaml:3 page.md:12 page.md:10 page.md:7"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, " "), want)
	}
}

func TestLinks(t *testing.T) {
	files := map[string]string{
		"docs/a.md": strings.Join([]string{
			"# A [b](b.md), [c](c.md) and [B](b.md#half--half)",
			"[self](#a-b-c-and-b) [gone](#gone) [b](./b.md#halff-half) [own](b.md#own) [para](b.md#para)",
			"![there](images/x.png) ![gone](images/y.png) [up](../up.yaml) [down](../down.yaml)",
			"[web](https://example.com/x.md) [abs](/x.md) [folder](../other/) [out](../../x.md) [site]({{ site }}/x.md) [mail](mailto:a@b.md)",
			"<!-- -->",
			"## Skipped\n\n<!-- assay: skip it is old -->\n\n[gone](gone.md)",
		}, "\n\n"),
		"docs/b.md":         "# B\n\n## Half & half\n\n<a id=\"own\"></a>\n\nText {#para}\n\n--8<-- \"../parts/part.md\"\n",
		"docs/images/x.png": "", "up.yaml": "",
		"parts/part.md": "[as GitHub has it](more.md) and [as MkDocs has it](a.md) and [neither](gone.md)\n",
		"parts/more.md": "",
	}
	finds(t, "links", tutorial(t, files),
		"link docs/a.md:1 the link c.md leads to no file",
		"link docs/a.md:3 the link #gone leads to no heading of docs/a.md",
		"link docs/a.md:3 the link ./b.md#halff-half leads to no heading of docs/b.md (did you mean half-half?)",
		"link docs/a.md:5 the link images/y.png leads to no file",
		"link docs/a.md:5 the link ../down.yaml leads to no file",
		"link parts/part.md:1 the link gone.md leads to no file",
	)
}

const proving = `apiVersion: assay/v1
kind: Scenario
name: %s
chapter: %s
steps:
- expect: {request: {path: /}, shares: {blue: 100%%}}
`

// What no scenario is about is told once: for a page, and for an include.
func TestCoverageIsToldOnce(t *testing.T) {
	const call = "## Call\n\n```sh\ncurl localhost\n```\n"
	const setUp = "## Set up\n\n```sh\nexport IP=$(kubectl get svc shop -o jsonpath={.status})\nkubectl config use-context mgmt\nmkdir -p work && git pull; direnv allow .\n```\n"
	page := func(sections ...string) string {
		text := setUp
		for _, s := range sections {
			text += "\n## " + s + "\n\n```sh\nkubectl get pods\n```\n"
		}
		return text + "\n--8<-- \"parts/call.md\"\n"
	}
	finds(t, "no scenario", tutorial(t, map[string]string{"a.md": page("One", "Two"), "b.md": page(), "parts/call.md": call}),
		"uncovered a.md:1 no scenario is about the page a.md: none of its 3 sections with commands is proved (#one, #two and #call)")
	scenario := map[string]string{
		"a.md": page("One"), "b.md": page() + "\n```sh\nkubectl get svc\n```\n", "parts/call.md": call,
		"scenarios/one.yaml": fmt.Sprintf(proving, "one", "a#one"),
	}
	finds(t, "one scenario", tutorial(t, scenario),
		"uncovered b.md:12 no scenario runs these commands",
		"uncovered parts/call.md:1 no scenario proves the section \"Call\"")
	scenario["scenarios/call.yaml"] = fmt.Sprintf(proving, "call", "b#call")
	finds(t, "an include that is proved", tutorial(t, scenario))
	finds(t, "a skipped page", tutorial(t, map[string]string{"a.md": "<!-- assay: skip it is a list -->\n\n" + page("One", "Two"), "parts/call.md": call}))
}
