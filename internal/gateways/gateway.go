package gateways

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	configFile = "gateway.conf"
	pidFile    = "gateway.pid"
	logFile    = "gateway.log"
)

// patience is how long a gateway may take to start, to reload or to end before
// that is an error. None of them takes a second.
const patience = 20 * time.Second

// Setup says which gateway to start and how.
type Setup struct {
	Program Program
	// Text is the configuration: for nginx what stands within http { }, for
	// HAProxy what follows the section global. Where it listens is written as a
	// name between at signs, "listen @web@;" or "bind @web@", and becomes a free
	// port of 127.0.0.1. "@folder@" is the gateway's own folder.
	Text string
	// Workers is the number of nginx's worker processes or of HAProxy's
	// threads; 1 when 0. Each of nginx's workers takes turns by itself, unless
	// the upstream has a zone; and of several, nginx 1.22 now and then leaves a
	// connection waiting that comes while it reloads, until another one comes.
	Workers int
	// Prefix is a command that runs the gateway, such as taskset -c 0. It must
	// become the gateway's process (exec), not stay its parent.
	Prefix []string
}

// Gateway is a gateway that runs. It is ended by Stop, and when this process
// dies in whatever way (on Linux; elsewhere only by Stop).
type Gateway struct {
	setup     Setup
	path      string
	folder    string
	addresses map[string]string // by the name between at signs
	sockets   []string          // the names, in the order of the file descriptors
	process   *os.Process
	ended     chan struct{} // closed when the process has ended
	err       error         // how, when ended is closed
}

// Start starts a gateway and returns when it takes requests. The configuration
// is checked by the program itself before.
func Start(s Setup) (*Gateway, error) {
	path, err := Find(string(s.Program))
	if err != nil {
		return nil, err
	}
	s.Workers = max(1, s.Workers)
	g := &Gateway{setup: s, path: path, addresses: map[string]string{}, ended: make(chan struct{})}
	if g.folder, err = os.MkdirTemp("", "assay-"+string(s.Program)+"-"); err != nil {
		return nil, err
	}
	files, err := g.listen()
	if err == nil {
		err = g.start(files)
	}
	for _, f := range files {
		f.Close() // the gateway has its own
	}
	if err != nil {
		if g.process != nil {
			g.Stop() // it may run, and be of no use
		}
		os.RemoveAll(g.folder)
		return nil, fmt.Errorf("%s: %w", s.Program, err)
	}
	return g, nil
}

// Address is the host and port of the socket that the configuration calls
// @name@; it is empty for a name that it does not have.
func (g *Gateway) Address(name string) string { return g.addresses[name] }

// URL is where the socket that the configuration calls @name@ is asked over
// plain HTTP.
func (g *Gateway) URL(name string) string { return "http://" + g.addresses[name] + "/" }

// File is the path of a file in the gateway's folder, which goes with it.
func (g *Gateway) File(name string) string { return filepath.Join(g.folder, name) }

// Log is what the gateway has said so far.
func (g *Gateway) Log() string {
	b, err := os.ReadFile(g.File(logFile))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Stop ends the gateway and removes its folder. It may be called again.
func (g *Gateway) Stop() error {
	defer os.RemoveAll(g.folder)
	select {
	case <-g.ended:
		return nil
	default:
	}
	g.process.Signal(syscall.SIGTERM)
	select {
	case <-g.ended:
		return nil
	case <-time.After(patience):
		g.process.Kill()
		<-g.ended
		return fmt.Errorf("%s did not end within %s of being asked to and was killed", g.setup.Program, patience)
	}
}

var named = regexp.MustCompile(`@([a-z]+)@`)

// listen opens a socket for every name of the configuration.
func (g *Gateway) listen() (files []*os.File, err error) {
	for _, m := range named.FindAllStringSubmatch(g.setup.Text, -1) {
		name := m[1]
		if name == "folder" || g.addresses[name] != "" {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return files, err
		}
		f, err := l.(*net.TCPListener).File()
		l.Close()
		if err != nil {
			return files, err
		}
		files = append(files, f)
		g.sockets = append(g.sockets, name)
		g.addresses[name] = l.Addr().String()
	}
	if len(files) == 0 {
		return nil, errors.New(`the configuration names no socket (such as "listen @web@;")`)
	}
	return files, nil
}

// firstSocket is the file descriptor of the first socket in the gateway.
const firstSocket = 3

// write writes the configuration and lets the program check it. An nginx that
// only checks does not mind that the address is in use.
func (g *Gateway) write(text string, files []*os.File) error {
	for i, name := range g.sockets {
		text = strings.ReplaceAll(text, "@"+name+"@", g.setup.Program.listen(g.addresses[name], firstSocket+i))
	}
	text = strings.ReplaceAll(text, "@folder@", g.folder)
	if m := named.FindString(text); m != "" {
		return fmt.Errorf("the configuration has a new socket, %s; a reload cannot bring one", m)
	}
	whole := g.setup.Program.whole(text, g.folder, g.setup.Workers)
	if err := os.WriteFile(g.File(configFile), []byte(whole), 0o600); err != nil {
		return err
	}
	args := g.setup.Program.command(g.path, g.folder, true)
	check := exec.Command(args[0], args[1:]...)
	check.ExtraFiles = files
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("it refuses the configuration: %w\n%s", err, out)
	}
	return nil
}

func (g *Gateway) start(files []*os.File) error {
	if err := g.write(g.setup.Text, files); err != nil {
		return err
	}
	log, err := os.Create(g.File(logFile))
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(g.setup.Prefix[:len(g.setup.Prefix):len(g.setup.Prefix)], g.setup.Program.command(g.path, g.folder, false)...)
	cmd := exec.Command(args[0], args[1:]...)
	// A file, not a pipe: nothing is lost, and nobody waits for whoever else holds it.
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, files
	cmd.SysProcAttr = endWithParent()
	if g.setup.Program == NGINX {
		cmd.Env = append(os.Environ(), "NGINX="+inherited(len(files)))
	}
	started := make(chan error)
	go func() {
		// On Linux "the parent dies" means the thread that started the child,
		// so it is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			g.err = cmd.Wait()
			close(g.ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	g.process = cmd.Process
	return g.await("start", g.takesSignals)
}

// inherited is how nginx is told of sockets that are open already, as it tells
// a new version of itself (http://nginx.org/en/docs/control.html#upgrade): "3;4;".
func inherited(sockets int) string {
	var b strings.Builder
	for i := range sockets {
		fmt.Fprintf(&b, "%d;", firstSocket+i)
	}
	return b.String()
}

// takesSignals says whether the gateway is so far that it can be reloaded and
// ended. The sockets are open before it is started; HAProxy needs no more.
func (g *Gateway) takesSignals() bool {
	if g.setup.Program == HAProxy {
		return true
	}
	b, err := os.ReadFile(g.File(pidFile))
	return err == nil && len(b) > 0
}

// await waits for a condition, or until the gateway has ended.
func (g *Gateway) await(what string, done func() bool) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !done(); {
		select {
		case <-g.ended:
			return fmt.Errorf("it did not %s: %w\n%s", what, g.err, g.Log())
		case now := <-tick.C:
			if now.After(deadline) {
				return fmt.Errorf("it did not %s within %s\n%s", what, patience, g.Log())
			}
		}
	}
	return nil
}

// Reload lets nginx take a new configuration without an interruption and
// returns when the processes with the old one take no more connections. The
// sockets stay those of the first configuration.
func (g *Gateway) Reload(text string) error {
	if g.setup.Program != NGINX {
		return fmt.Errorf("%s cannot be reloaded here, only nginx", g.setup.Program)
	}
	if err := g.write(text, nil); err != nil {
		return fmt.Errorf("nginx: %w", err)
	}
	const leaving = "gracefully shutting down"
	before := strings.Count(g.Log(), leaving)
	if err := g.process.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("nginx: %w", err)
	}
	if err := g.await("reload", func() bool { return strings.Count(g.Log(), leaving) >= before+g.setup.Workers }); err != nil {
		return fmt.Errorf("nginx: %w", err)
	}
	return nil
}
