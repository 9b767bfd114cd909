package apiserver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigMark begins every kubeconfig written here, so that nobody's own
// file is ever overwritten or removed by mistake.
const kubeconfigMark = "# Written by the Assay sandbox; it goes when the sandbox stops.\n"

// CheckKubeconfig says whether path may be written: it does not exist, is
// empty, or is an earlier sandbox's.
func CheckKubeconfig(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (len(data) == 0 || bytes.HasPrefix(data, []byte(kubeconfigMark))) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return fmt.Errorf("kubeconfig: %s exists and was not written by a sandbox: name a file that may be overwritten", path)
}

// WriteKubeconfig writes a kubeconfig with one context for each server, with
// its name, certificates embedded; the first is current. The file appears at
// once as a whole and only its owner can read it.
func WriteKubeconfig(path string, servers []*Server) error {
	config := clientcmdapi.NewConfig()
	for _, s := range servers {
		config.Clusters[s.Name] = &clientcmdapi.Cluster{Server: s.Config.Host, CertificateAuthorityData: s.CA}
		config.AuthInfos[s.Name] = &clientcmdapi.AuthInfo{
			ClientCertificateData: s.Config.TLSClientConfig.CertData,
			ClientKeyData:         s.Config.TLSClientConfig.KeyData,
		}
		config.Contexts[s.Name] = &clientcmdapi.Context{Cluster: s.Name, AuthInfo: s.Name}
	}
	config.CurrentContext = servers[0].Name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".kubeconfig-") // mode 0600
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	_, err = part.Write(append([]byte(kubeconfigMark), data...))
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		os.Remove(part.Name())
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}

// RemoveKubeconfig removes the file at path if it is these servers' still.
func RemoveKubeconfig(path string, servers []*Server) error {
	data, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(data, []byte(kubeconfigMark)) {
		return nil
	}
	config, err := clientcmd.Load(data)
	if err != nil {
		return nil // not as we wrote it
	}
	for _, s := range servers {
		if c := config.Clusters[s.Name]; c == nil || !bytes.Equal(c.CertificateAuthorityData, s.CA) {
			return nil // a later sandbox's
		}
	}
	return os.Remove(path)
}
