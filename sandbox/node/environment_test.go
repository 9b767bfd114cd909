package node

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestParseDotenv(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]string
		wrong      string
	}{
		{name: "empty", want: map[string]string{}},
		{name: "plain", text: "A=1\nB = two words \n", want: map[string]string{"A": "1", "B": "two words"}},
		{name: "comments and empty lines", text: "# A=0\n\nA=1#2", want: map[string]string{"A": "1#2"}},
		{name: "quoted", text: "A=\" x \"\nB='y'\nC=\"z", want: map[string]string{"A": " x ", "B": "y", "C": "\"z"}},
		{name: "export", text: "export A=1\r\n", want: map[string]string{"A": "1"}},
		{name: "value with =", text: "A=b=c", want: map[string]string{"A": "b=c"}},
		{name: "no =", text: "A=1\nnonsense", wrong: `line 2: got "nonsense", want NAME=VALUE`},
		{name: "no name", text: "=1", wrong: `line 1: got "=1", want NAME=VALUE`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[string]string{}
			err := parseDotenv(c.text, got)
			if c.wrong != "" {
				if err == nil || err.Error() != c.wrong {
					t.Errorf("error: got %v, want %s", err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzParseDotenv(f *testing.F) {
	f.Add("A=1\n# x\nexport B='2'")
	f.Fuzz(func(t *testing.T, text string) {
		env := map[string]string{}
		if parseDotenv(text, env) == nil && env[""] != "" {
			t.Errorf("a value without a name in %q", text)
		}
	})
}

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "1", "B.c-d": "2"}
	for value, want := range map[string]string{
		"":              "",
		"$(A)/$(B.c-d)": "1/2",
		"$(C) $A ${A}":  "$(C) $A ${A}",
		"$$(A)":         "$(A)",
		"$(A":           "$(A",
	} {
		if got := expand(value, env); got != want {
			t.Errorf("expand(%q): got %q, want %q", value, got, want)
		}
	}
}

func TestUnfitEnvironments(t *testing.T) {
	named := func(source corev1.EnvVarSource) corev1.Container {
		return corev1.Container{Name: "main", Env: []corev1.EnvVar{{Name: "X", ValueFrom: &source}}}
	}
	missing := corev1.LocalObjectReference{Name: "missing"}
	there := corev1.LocalObjectReference{Name: "there"}
	optional := true
	for _, c := range []struct {
		name      string
		container corev1.Container
		want      string // empty: fit
	}{
		{"unknown field", named(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.colour"}}), "unknown field spec.colour of a pod"},
		{"no such ConfigMap", named(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: missing, Key: "k"}}), "no key k in configmap missing of namespace shop"},
		{"no such key", named(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: there, Key: "k"}}), "no key k in configmap there of namespace shop"},
		{"no such Secret", named(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: missing, Key: "k"}}), "no key k in secret missing of namespace shop"},
		{"optional", named(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: missing, Key: "k", Optional: &optional}}), ""},
		{"resources", named(corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}), "the sandbox gives an environment variable from"},
		{"envFrom nothing", corev1.Container{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: missing}}}}, "secret missing not found in namespace shop"},
		{"a broken .env", corev1.Container{VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/srv"}}}, `configmap there, key .env: line 1: got "rubbish", want NAME=VALUE`},
		{"no Secret to mount", corev1.Container{VolumeMounts: []corev1.VolumeMount{{Name: "keys", MountPath: "/keys"}}}, `volume "keys": secret missing not found in namespace shop`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(Options{Client: fake.NewClientset(&corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "there"}, Data: map[string]string{".env": "rubbish"}})})
			pod := newPod("a", image)
			pod.Spec.Containers = []corev1.Container{c.container}
			pod.Spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: there}}},
				{Name: "keys", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "missing"}}}}
			_, o, err := n.environments(context.Background(), pod, "10.244.0.1")
			switch {
			case err != nil:
				t.Fatal(err)
			case c.want == "" && o != nil:
				t.Errorf("got obstacle %q, want none", o.message)
			case c.want != "" && (o == nil || !strings.Contains(o.message, c.want)):
				t.Errorf("got obstacle %+v, want %q", o, c.want)
			}
		})
	}
}
