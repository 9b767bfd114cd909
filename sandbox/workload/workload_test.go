package workload

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRuns(t *testing.T) {
	for ref, want := range map[string]bool{
		"blue-green-canary":                                   true,
		"ghcr.io/kameshsampath/blue-green-canary":             true,
		"quay.io/rhdevelopers/blue-green-canary:1.2":          true,
		"localhost:5000/blue-green-canary":                    true,
		"localhost:5000/x/blue-green-canary:v1@sha256:0123ab": true,
		"blue-green-canary@sha256:0123ab":                     true,
		"blue-green":                                          false,
		"my-blue-green-canary":                                false,
		"blue-green-canary/other":                             false,
		"nginx":                                               false,
		"":                                                    false,
		"a/blue-green-canary-2:blue-green-canary":             false,
	} {
		if got := Runs(ref); got != want {
			t.Errorf("Runs(%q) = %t, want %t", ref, got, want)
		}
	}
}

func start(t *testing.T, s Spec) *Service {
	t.Helper()
	service, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return service
}

func get(t *testing.T, s *Service, path, agent string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+s.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", agent) // an empty one is not sent at all
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestAPI(t *testing.T) {
	for _, c := range []struct {
		name  string
		spec  Spec
		agent string
		want  string
	}{{
		"as the image is, unconfigured",
		Spec{Image: "blue-green-canary", Pod: "blue-98db67777-797t7", Port: 3000},
		"curl/8.5.0",
		`{"greeting":"Hello","count":0,"pod":"blue-98db67777-797t7","color":"blue","textColor":"whitesmoke","userAgent":"curl/8.5.0"}`,
	}, {
		"configured, MY_POD before the name",
		Spec{Image: "x/blue-green-canary:v2", Pod: "canary-1", Env: map[string]string{
			"BLUE_GREEN_CANARY_COLOR": "yellow", "BLUE_GREEN_CANARY_MESSAGE": "Hola", "TEXT_COLOR": "black", "MY_POD": "vm-10.0.0.1",
		}},
		"curl/8.5.0",
		`{"greeting":"Hola","count":0,"pod":"vm-10.0.0.1","color":"yellow","textColor":"black","userAgent":"curl/8.5.0"}`,
	}, {
		"nobody says who they are",
		Spec{Image: "blue-green-canary"},
		"",
		`{"greeting":"Hello","count":0,"pod":"localhost","color":"blue","textColor":"whitesmoke","userAgent":"unknown"}`,
	}} {
		t.Run(c.name, func(t *testing.T) {
			resp, got := get(t, start(t, c.spec), "/api", c.agent)
			if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("answered %s, %s; want 200, application/json", resp.Status, resp.Header.Get("Content-Type"))
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestCountIsPerProcess(t *testing.T) {
	one, other := start(t, Spec{Image: "blue-green-canary"}), start(t, Spec{Image: "blue-green-canary"})
	get(t, other, "/api", "a")
	for want := range 3 {
		var a struct{ Count int }
		_, body := get(t, one, "/api", "a")
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Count != want {
			t.Errorf("count %d, want %d", a.Count, want)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	s := start(t, Spec{Image: "blue-green-canary", Pod: "blue-1"})
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/api/": 404, "/apis": 404, "/nothing": 404} {
		resp, _ := get(t, s, path, "a")
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestUnknownImage(t *testing.T) {
	_, err := Start(Spec{Image: "docker.io/nginx:1.29"})
	if err == nil || !strings.Contains(err.Error(), "nginx") || !strings.Contains(err.Error(), "blue-green-canary") {
		t.Errorf("got %v, want an error that names the image and what can be run", err)
	}
}

func TestKillFreesTheAddress(t *testing.T) {
	s, err := Start(Spec{Image: "blue-green-canary"})
	if err != nil {
		t.Fatal(err)
	}
	get(t, s, "/api", "a") // leaves a connection open
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get("http://" + s.Addr() + "/api"); err == nil {
		resp.Body.Close()
		t.Error("a killed service answered")
	}
}
