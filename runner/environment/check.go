package environment

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// checker finds what is wrong between the parts of an environment, and with texts
// that have a form of their own.
type checker struct {
	environment *Environment
	frame       *frame
	getenv      func(string) (string, bool)
	mistakes    document.Mistakes
}

func (c *checker) add(m document.Mistake) { c.mistakes = append(c.mistakes, m) }

func (c *checker) check() {
	root := c.environment.Source
	c.name(root.Get("name"), false)
	for _, section := range []string{"clusters", "gateways", "clients", "destinations"} {
		for _, entry := range root.Get(section).Entries() {
			c.name(entry, true)
		}
	}
	if v := root.Get("clusters"); v.Kind() == document.Mapping && v.Len() == 0 {
		c.add(v.Mistake("want at least one cluster").WithHint("such as cluster1: {context: cluster1}"))
	}
	for name := range c.frame.Clusters {
		c.context(name)
	}
	for _, g := range c.frame.Gateways {
		c.gateway(g)
	}
	for name, client := range c.frame.Clients {
		c.client(name, client)
	}
	for _, d := range c.frame.Destinations {
		c.cluster(d.Source.Get("cluster"))
		c.service(d.Source.Get("service"))
	}
	for _, a := range c.frame.Answers {
		c.answer(a)
	}
	c.outcomes()
	c.dialect(root.Get("dialect"))
	c.limits()
	c.vars(root.Get("vars"))
}

var (
	serviceLike = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z]([-a-z0-9]*[a-z0-9])?$`)
	varLike     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	headerLike  = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")
	portLike    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
)

// name checks a name that is a value, or a key.
func (c *checker) name(v document.Value, key bool) {
	if key {
		if text, hint := document.BadName(v.Key()); text != "" {
			c.add(v.KeyMistake("%s", text).WithHint(hint))
		}
		return
	}
	if text, hint := document.BadName(v.Text()); text != "" && v.Kind() == document.Scalar {
		c.add(v.Mistake("%s", text).WithHint(hint))
	}
}

// context checks and expands the context of a cluster.
func (c *checker) context(name string) {
	v := c.frame.Clusters[name].Source.Get("context")
	if v.Kind() != document.Scalar {
		return
	}
	text := c.expand(v, " with one of kubectl config get-contexts")
	switch {
	case text == "" && v.Text() == "":
		c.add(v.Mistake("the context is empty"))
	case strings.HasPrefix(text, "$") && varLike.MatchString(text[1:]):
		c.add(v.Mistake("a variable goes in braces").WithHint("write ${" + text[1:] + "}"))
	}
	c.environment.Clusters[name] = Cluster{Context: text}
}

// expand replaces ${NAME} from the process environment. What says what it should be.
func (c *checker) expand(v document.Value, what string) string {
	text, undefined := expand(v.Text(), c.getenv)
	for _, name := range undefined {
		c.add(v.PartMistake("${"+name+"}", "${%s} is not defined in the process environment", name).
			WithHint("export " + name + "=…" + what))
	}
	if text == "" && len(undefined) == 0 && v.Text() != "" {
		c.add(v.Mistake("%s is empty in the process environment", v.Text()))
	}
	if rest := reference.ReplaceAllString(v.Text(), ""); strings.Contains(rest, "${") {
		c.add(v.PartMistake("${", "want ${NAME}, a name of letters, digits and underscores between braces"))
	}
	return text
}

// noReference refuses ${NAME} where it would not be replaced.
func (c *checker) noReference(v document.Value) bool {
	ref := reference.FindString(v.Text())
	if ref == "" {
		return true
	}
	c.add(v.PartMistake(ref, "%s is replaced in contexts and vars only", ref).WithHint("write the value out"))
	return false
}

// cluster checks a reference to a cluster.
func (c *checker) cluster(v document.Value) {
	known := c.environment.Order.Clusters
	if v.Kind() != document.Scalar || slices.Contains(known, v.Text()) || !c.noReference(v) {
		return
	}
	if len(known) == 0 {
		return // the clusters are missing or could not be read, which is said there
	}
	c.add(v.Mistake("unknown cluster %s", document.Quote(v.Text())).WithHint(document.OneOf(v.Text(), known)))
}

func (c *checker) service(v document.Value) {
	if v.Kind() != document.Scalar || !c.noReference(v) || serviceLike.MatchString(v.Text()) {
		return
	}
	c.add(v.Mistake("want NAMESPACE/NAME of a Service, got %s", document.Quote(v.Text())).WithHint("such as istio-system/istio-ingressgateway"))
}

func (c *checker) gateway(g gatewayFrame) {
	v := g.Source
	address, service, port := v.Get("url"), v.Get("service"), v.Get("port")
	c.cluster(v.Get("cluster"))
	c.service(service)
	c.port(port)
	if address.Exists() {
		c.url(address, "http", "https")
		if u, err := url.Parse(address.Text()); err == nil && u.User != nil {
			c.add(address.Mistake("want an address without a user: requests carry no credentials of their own").
				WithHint("give the header Authorization in the request"))
		}
		if service.Exists() {
			c.add(service.KeyMistake("a gateway has either a url, or a cluster, a service and a port"))
		} else if port.Exists() {
			c.add(port.KeyMistake("a gateway has either a url, or a cluster, a service and a port"))
		}
		return
	}
	if v.Kind() != document.Mapping {
		return
	}
	switch missing, given := c.lookUp(v); {
	case !given.Exists():
		c.add(v.KeyMistake("the gateway has no address").WithHint("give a url, or a cluster, a service and a port"))
	case len(missing) > 0:
		c.add(v.KeyMistake("%s missing", isOrAre(missing)))
	}
}

// port checks the name or the number of a port.
func (c *checker) port(v document.Value) {
	text := v.Text()
	if v.Kind() != document.Scalar || !c.noReference(v) {
		return
	}
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > 65535 {
			c.add(v.Mistake("want a port from 1 to 65535, got %s", text))
		}
		return
	}
	if !portLike.MatchString(text) {
		c.add(v.Mistake("want the name or the number of a port, got %s", document.Quote(text)).WithHint("such as http2 or 80"))
	}
}

// url checks an address: a scheme of these, a host, and nothing behind it.
func (c *checker) url(v document.Value, schemes ...string) {
	if v.Kind() != document.Scalar || !c.noReference(v) {
		return
	}
	u, err := url.Parse(v.Text())
	for i := range schemes {
		schemes[i] += "://"
	}
	switch example := "such as " + schemes[0] + "127.0.0.1:8080"; {
	case err != nil || u.Host == "" || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme+"://"):
		c.add(v.Mistake("want an address that begins with %s, got %s", strings.Join(schemes, " or "), document.Quote(v.Text())).WithHint(example))
	case u.Port() != "" && !isPort(u.Port()):
		c.add(v.PartMistake(u.Port(), "want a port from 1 to 65535, got %s", u.Port()))
	case u.Path != "" && u.Path != "/" || strings.ContainsAny(v.Text(), "?#"):
		c.add(v.Mistake("want an address without a path, got %s", document.Quote(v.Text())).WithHint(u.Scheme + "://" + u.Host + "; the path is the request's"))
	}
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= 65535
}

func (c *checker) client(name string, client clientFrame) {
	v := client.Source
	proxy, command := v.Get("proxy"), v.Get("command")
	if name == Local {
		c.add(v.KeyMistake("local is the runner itself and is always there").WithHint("choose another name"))
	}
	c.url(proxy, "http", "https", "socks5")
	c.cluster(v.Get("cluster"))
	c.service(v.Get("service"))
	c.port(v.Get("port"))
	missing, given := c.lookUp(v)
	switch {
	case proxy.Exists() && command.Exists():
		c.add(command.KeyMistake("a client has either a proxy or a command"))
	case given.Exists() && command.Exists():
		c.add(command.KeyMistake("a client has either a service by which its proxy is found, or a command"))
	case given.Exists() && proxy.Exists():
		c.add(given.KeyMistake("a client has either a proxy, or a service by which its proxy is found"))
	case given.Exists() && len(missing) > 0:
		c.add(v.KeyMistake("%s missing", isOrAre(missing)))
	case !proxy.Exists() && !command.Exists() && !given.Exists() && v.Kind() == document.Mapping:
		c.add(v.KeyMistake("the client has neither a proxy nor a command"))
	case command.Kind() == document.Sequence && command.Len() == 0:
		c.add(command.Mistake("the command is empty"))
	case command.Kind() == document.Sequence && command.Index(0).Kind() == document.Scalar && command.Index(0).Text() == "":
		c.add(command.Index(0).Mistake("the command has no program"))
	}
}

// lookUp tells which keys of those by which a Service's address is looked up are
// missing, and gives the first that is there.
func (c *checker) lookUp(v document.Value) (missing []string, given document.Value) {
	for _, key := range []string{"cluster", "service", "port"} {
		switch entry := v.Get(key); {
		case !entry.Exists():
			missing = append(missing, key)
		case !given.Exists():
			given = entry
		}
	}
	return missing, given
}

// isOrAre says that keys are (missing).
func isOrAre(keys []string) string {
	if len(keys) == 1 {
		return "the key " + keys[0] + " is"
	}
	return "the keys " + document.And(keys) + " are"
}

func (c *checker) dialect(v document.Value) {
	if v.Kind() == document.Scalar && !slices.Contains(Dialects, v.Text()) {
		c.add(v.Mistake("unknown dialect %s", document.Quote(v.Text())).WithHint(document.OneOf(v.Text(), Dialects)))
	}
}

func (c *checker) limits() {
	workers := c.environment.Source.Get("limits").Get("workers")
	if workers.Kind() == document.Scalar && c.frame.Limits.Workers <= 0 && isInteger(workers.Text()) {
		c.add(workers.Mistake("want at least one worker, got %s", workers.Text()))
	}
}

func isInteger(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// vars checks and expands the vars.
func (c *checker) vars(v document.Value) {
	for name, entry := range v.Entries() {
		if !varLike.MatchString(name) {
			c.add(entry.KeyMistake("want a name of letters, digits and underscores, got %s", document.Quote(name)))
		}
		if entry.Kind() == document.Scalar && c.frame.Vars[name] == entry.Text() {
			c.environment.Vars[name] = c.expand(entry, "")
		}
	}
}
