package gateways

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const blue = `server { listen @web@; location / { return 200 '{"color":"blue"}'; } }`

func start(t *testing.T, s Setup) *Gateway {
	t.Helper()
	Need(t, s.Program)
	g, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(g.folder); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	return g
}

func get(t *testing.T, url string) string {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEachAnswersOnItsSockets(t *testing.T) {
	n := start(t, Setup{Program: NGINX, Text: blue + strings.ReplaceAll(strings.ReplaceAll(blue, "@web@", "@other@"), "blue", "green")})
	if got := get(t, n.URL("web")) + get(t, n.URL("other")); got != `{"color":"blue"}{"color":"green"}` {
		t.Errorf("nginx says %s", got)
	}
	h := start(t, Setup{Program: HAProxy, Text: `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend web
  bind @web@
  default_backend nginx
backend nginx
  server one ` + n.Address("web") + "\n"})
	if got := get(t, h.URL("web")); got != `{"color":"blue"}` {
		t.Errorf("HAProxy says %s", got)
	}
}

// When Reload has returned, nobody is answered by the old configuration.
func TestReload(t *testing.T) {
	g := start(t, Setup{Program: NGINX, Text: blue})
	for i := range 3 {
		color := fmt.Sprint("color", i)
		if err := g.Reload(strings.ReplaceAll(blue, "blue", color)); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if got := get(t, g.URL("web")); !strings.Contains(got, color) {
				t.Fatalf("after reload %d it says %s", i, got)
			}
		}
	}
	if err := g.Reload(blue + "server { listen @more@; }"); err == nil || !strings.Contains(err.Error(), "a reload cannot bring one") {
		t.Errorf("a new socket: %v", err)
	}
	if err := g.Reload("nonsense;"); err == nil || !strings.Contains(err.Error(), `unknown directive "nonsense"`) {
		t.Errorf("a bad configuration: %v", err)
	}
	if got := get(t, g.URL("web")); !strings.Contains(got, "color2") {
		t.Errorf("after a refused reload it says %s", got)
	}
}

func TestBadConfigurationIsRefusedWithTheProgramsWords(t *testing.T) {
	for _, tt := range []struct {
		s    Setup
		want string
	}{
		{Setup{Program: NGINX, Text: "server { listen @web@; lokation / {} }"}, `unknown directive "lokation"`},
		{Setup{Program: HAProxy, Text: "frontend web\n  bind @web@\n  balanse random\n"}, "unknown keyword 'balanse'"},
		{Setup{Program: NGINX, Text: "server { listen 127.0.0.1:1; }"}, "names no socket"},
	} {
		Need(t, tt.s.Program)
		g, err := Start(tt.s)
		if err == nil {
			g.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

func TestMissingProgramSaysHowToInstallIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	Packages["gateway-that-is-not"] = "some-package"
	defer delete(Packages, "gateway-that-is-not")
	_, err := Find("gateway-that-is-not")
	var missing *MissingError
	if !errors.As(err, &missing) || err.Error() != "gateway-that-is-not is not installed: apt-get install some-package" {
		t.Errorf("got %v", err)
	}
	for _, tt := range []struct{ value, want string }{{"", "skip"}, {"required", "fatal"}} {
		t.Setenv(Required, tt.value)
		var f fake
		Need(&f, "gateway-that-is-not")
		if f.called != tt.want || !strings.Contains(f.text, "apt-get install some-package") {
			t.Errorf("%s=%s: %s %q", Required, tt.value, f.called, f.text)
		}
	}
}

type fake struct{ called, text string }

func (*fake) Helper()            {}
func (f *fake) Skip(args ...any) { f.called, f.text = "skip", fmt.Sprint(args...) }
func (f *fake) Fatal(args ...any) {
	f.called, f.text = "fatal", fmt.Sprint(args...)
}

// A test that is killed leaves no gateway behind: here a test process starts
// one, and kills itself.
func TestEndsWithItsParent(t *testing.T) {
	Need(t, NGINX)
	if endWithParent() == nil {
		t.Skip("only Linux tells a child that its parent has died")
	}
	if os.Getenv("ASSAY_GATEWAY_ORPHAN") == "1" {
		g, err := Start(Setup{Program: NGINX, Workers: 2, Text: blue})
		if err != nil {
			t.Fatal(err)
		}
		get(t, g.URL("web"))
		fmt.Printf("\ngateway %s %s\n", g.Address("web"), g.folder)
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		self.Kill()
		select {}
	}
	c := exec.Command(os.Args[0], "-test.run=^TestEndsWithItsParent$")
	c.Env = append(os.Environ(), "ASSAY_GATEWAY_ORPHAN=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var address, folder, said string
	for s := bufio.NewScanner(out); s.Scan(); said += s.Text() + "\n" {
		fmt.Sscanf(s.Text(), "gateway %s %s", &address, &folder)
	}
	c.Wait()
	if address == "" {
		t.Fatalf("no gateway was started:\n%s", said)
	}
	defer os.RemoveAll(folder)
	for deadline := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			c.Close()
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx at %s outlived the process that started it by %s", address, patience)
		}
	}
}
