package node

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// environments returns the environment of each container in order: what a file
// `.env` mounted from a ConfigMap says, then envFrom, then env, the later
// winning, as the tutorial's service has it. Objects that are not there (yet)
// are an obstacle, not an error.
func (n *Node) environments(ctx context.Context, pod *corev1.Pod, ip string) ([]map[string]string, *obstacle, error) {
	r := &reader{ctx: ctx, node: n, pod: pod, ip: ip}
	var all []map[string]string
	for _, container := range pod.Spec.Containers {
		env := map[string]string{}
		for _, step := range []func(corev1.Container, map[string]string) error{r.mounted, r.from, r.named} {
			if err := step(container, env); err != nil {
				return nil, asObstacle(container.Name, err), asError(err)
			}
		}
		all = append(all, env)
	}
	return all, nil, nil
}

// unfit is a configuration that a pod cannot start with.
type unfit struct{ waiting, event, message string }

func (u unfit) Error() string { return u.message }

func badConfig(format string, args ...any) error {
	return unfit{"CreateContainerConfigError", "Failed", fmt.Sprintf(format, args...)}
}

func asObstacle(container string, err error) *obstacle {
	if u, ok := err.(unfit); ok {
		return &obstacle{container: container, waiting: u.waiting, event: u.event, message: u.message}
	}
	return nil
}

func asError(err error) error {
	if _, ok := err.(unfit); ok {
		return nil
	}
	return err
}

// reader reads one pod's configuration.
type reader struct {
	ctx  context.Context
	node *Node
	pod  *corev1.Pod
	ip   string
}

// configMap returns the data of a ConfigMap; nil when it is not there.
func (r *reader) configMap(name string) (map[string]string, error) {
	object, err := r.node.options.Client.CoreV1().ConfigMaps(r.pod.Namespace).Get(r.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data := map[string]string{}
	maps.Copy(data, object.Data)
	for key, value := range object.BinaryData {
		data[key] = string(value)
	}
	return data, nil
}

// secret returns the data of a Secret; nil when it is not there.
func (r *reader) secret(name string) (map[string]string, error) {
	object, err := r.node.options.Client.CoreV1().Secrets(r.pod.Namespace).Get(r.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data := map[string]string{}
	for key, value := range object.Data {
		data[key] = string(value)
	}
	return data, nil
}

// from reads envFrom.
func (r *reader) from(c corev1.Container, env map[string]string) error {
	for _, source := range c.EnvFrom {
		var (
			data     map[string]string
			err      error
			what     string
			optional *bool
		)
		switch {
		case source.ConfigMapRef != nil:
			what, optional = "configmap "+source.ConfigMapRef.Name, source.ConfigMapRef.Optional
			data, err = r.configMap(source.ConfigMapRef.Name)
		case source.SecretRef != nil:
			what, optional = "secret "+source.SecretRef.Name, source.SecretRef.Optional
			data, err = r.secret(source.SecretRef.Name)
		}
		if err != nil {
			return err
		}
		if data == nil && !isTrue(optional) {
			return badConfig("%s not found in namespace %s", what, r.pod.Namespace)
		}
		for key, value := range data {
			env[source.Prefix+key] = value
		}
	}
	return nil
}

// named reads env. A value may refer to earlier ones as $(NAME).
func (r *reader) named(c corev1.Container, env map[string]string) error {
	for _, v := range c.Env {
		if v.ValueFrom == nil {
			env[v.Name] = expand(v.Value, env)
			continue
		}
		value, there, err := r.value(v.ValueFrom)
		if err != nil {
			return err
		}
		if there {
			env[v.Name] = value
		}
	}
	return nil
}

func (r *reader) value(source *corev1.EnvVarSource) (value string, there bool, err error) {
	switch {
	case source.FieldRef != nil:
		value, err = r.field(source.FieldRef.FieldPath)
		return value, err == nil, err
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		data, err := r.configMap(ref.Name)
		return r.key(data, err, "configmap "+ref.Name, ref.Key, ref.Optional)
	case source.SecretKeyRef != nil:
		ref := source.SecretKeyRef
		data, err := r.secret(ref.Name)
		return r.key(data, err, "secret "+ref.Name, ref.Key, ref.Optional)
	}
	return "", false, badConfig("the sandbox gives an environment variable from fieldRef, configMapKeyRef and secretKeyRef only")
}

func (r *reader) key(data map[string]string, err error, what, key string, optional *bool) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	value, there := data[key]
	if !there && !isTrue(optional) {
		return "", false, badConfig("no key %s in %s of namespace %s", key, what, r.pod.Namespace)
	}
	return value, there, nil
}

// field is the downward API.
func (r *reader) field(name string) (string, error) {
	if kind, key, ok := subscript(name); ok {
		switch kind {
		case "metadata.labels":
			return r.pod.Labels[key], nil
		case "metadata.annotations":
			return r.pod.Annotations[key], nil
		}
	}
	fields := map[string]string{
		"metadata.name":           r.pod.Name,
		"metadata.namespace":      r.pod.Namespace,
		"metadata.uid":            string(r.pod.UID),
		"spec.nodeName":           r.pod.Spec.NodeName,
		"spec.serviceAccountName": r.pod.Spec.ServiceAccountName,
		"status.hostIP":           hostIP,
		"status.hostIPs":          hostIP,
		"status.podIP":            r.ip,
		"status.podIPs":           r.ip,
	}
	value, ok := fields[name]
	if !ok {
		return "", badConfig("unknown field %s of a pod", name)
	}
	return value, nil
}

// subscript splits metadata.labels['key'].
func subscript(name string) (kind, key string, ok bool) {
	kind, rest, ok := strings.Cut(name, "['")
	if !ok {
		return "", "", false
	}
	key, ok = strings.CutSuffix(rest, "']")
	return kind, key, ok
}

// mounted reads the files named .env that the container mounts from
// ConfigMaps, and makes sure that all it mounts is there.
func (r *reader) mounted(c corev1.Container, env map[string]string) error {
	for _, mount := range c.VolumeMounts {
		if err := r.secrets(mount.Name); err != nil {
			return err
		}
		for _, source := range r.sources(mount.Name) {
			data, err := r.configMap(source.Name)
			if err != nil {
				return err
			}
			if data == nil && !isTrue(source.Optional) {
				return r.notMounted(mount.Name, "configmap", source.Name)
			}
			for file, key := range filesOf(source, data) {
				at := path.Join(mount.MountPath, file)
				if mount.SubPath != "" {
					if file != path.Clean(mount.SubPath) {
						continue
					}
					at = mount.MountPath
				}
				if path.Base(at) != ".env" {
					continue
				}
				if err := parseDotenv(data[key], env); err != nil {
					return badConfig("configmap %s, key %s: %v", source.Name, key, err)
				}
			}
		}
	}
	return nil
}

func (r *reader) notMounted(volume, kind, name string) error {
	return unfit{"ContainerCreating", "FailedMount", fmt.Sprintf("MountVolume.SetUp failed for volume %q: %s %s not found in namespace %s", volume, kind, name, r.pod.Namespace)}
}

// secrets makes sure that the Secret of a volume is there. Nothing in it
// matters to the service.
func (r *reader) secrets(volume string) error {
	for _, v := range r.pod.Spec.Volumes {
		if v.Name != volume || v.Secret == nil || isTrue(v.Secret.Optional) {
			continue
		}
		if data, err := r.secret(v.Secret.SecretName); err != nil || data == nil {
			return cmp.Or(err, r.notMounted(volume, "secret", v.Secret.SecretName))
		}
	}
	return nil
}

// sources are the ConfigMaps of a volume.
func (r *reader) sources(volume string) []*corev1.ConfigMapProjection {
	for _, v := range r.pod.Spec.Volumes {
		switch {
		case v.Name != volume:
		case v.ConfigMap != nil:
			return []*corev1.ConfigMapProjection{{LocalObjectReference: v.ConfigMap.LocalObjectReference, Items: v.ConfigMap.Items, Optional: v.ConfigMap.Optional}}
		case v.Projected != nil:
			var all []*corev1.ConfigMapProjection
			for _, p := range v.Projected.Sources {
				// Every pod mounts kube-root-ca.crt, which is of no use to a
				// service that never calls the API server.
				if p.ConfigMap != nil && p.ConfigMap.Name != "kube-root-ca.crt" {
					all = append(all, p.ConfigMap)
				}
			}
			return all
		}
	}
	return nil
}

// filesOf maps the files of a ConfigMap's volume to its keys.
func filesOf(source *corev1.ConfigMapProjection, data map[string]string) map[string]string {
	files := map[string]string{}
	for _, item := range source.Items {
		files[path.Clean(item.Path)] = item.Key
	}
	if len(source.Items) == 0 {
		for key := range data {
			files[key] = key
		}
	}
	return files
}

// parseDotenv reads lines NAME=VALUE into env; a value may be quoted, empty
// lines and those that begin with # mean nothing.
func parseDotenv(text string, env map[string]string) error {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			return fmt.Errorf("line %d: got %q, want NAME=VALUE", number, line)
		}
		if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		env[name] = value
	}
	return nil
}

var reference = regexp.MustCompile(`\$\$|\$\([A-Za-z_.-][A-Za-z0-9_.-]*\)`)

// expand replaces $(NAME) by what env holds and leaves what it does not; $$
// stands for one dollar.
func expand(value string, env map[string]string) string {
	return reference.ReplaceAllStringFunc(value, func(found string) string {
		if found == "$$" {
			return "$"
		}
		if v, ok := env[found[2:len(found)-1]]; ok {
			return v
		}
		return found
	})
}

func isTrue(b *bool) bool { return b != nil && *b }
