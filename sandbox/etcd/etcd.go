// Package etcd runs one etcd server inside the process, for the API servers of
// the same process. It listens on unix sockets only, so that nothing else on
// the machine's network can reach it, and keeps its data in one folder.
//
// It refuses to be durable: writes are not synced to the disk, because a
// sandbox begins anew each time.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// socketPathLimit is the longest path that every supported system takes
	// for a unix socket (104 bytes with the final zero on macOS).
	socketPathLimit = 103
	quotaBytes      = 1 << 30
)

// Server is a running etcd.
type Server struct {
	// Endpoint is the URL that clients use, of the form unix:///path.
	Endpoint string

	etcd    *embed.Etcd
	sockets string // a folder to remove in the end, or empty
}

// Start starts etcd with its data and sockets below dir, which must exist, and
// its errors in the file log, and waits until it serves.
func Start(ctx context.Context, dir, log string) (*Server, error) {
	s := &Server{}
	socketDir, err := s.socketDir(dir)
	if err != nil {
		return nil, err
	}
	client := url.URL{Scheme: "unix", Path: filepath.Join(socketDir, "client.sock")}
	s.Endpoint = client.String()
	s.etcd, err = embed.StartEtcd(config(dir, log, client, url.URL{Scheme: "unix", Path: filepath.Join(socketDir, "peer.sock")}))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-s.etcd.Server.ReadyNotify():
		return s, nil
	case err = <-s.etcd.Err():
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Close()
	return nil, fmt.Errorf("etcd: %w", err)
}

// Close stops the server and removes its sockets.
func (s *Server) Close() {
	if s.etcd != nil {
		s.etcd.Close()
	}
	if s.sockets != "" {
		os.RemoveAll(s.sockets)
	}
}

// socketDir is dir itself, unless its path is too long for a socket: then a
// new folder with a short one.
func (s *Server) socketDir(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if len(filepath.Join(absolute, "client.sock")) <= socketPathLimit {
		return absolute, nil
	}
	// Not os.TempDir, which is itself long on macOS.
	s.sockets, err = os.MkdirTemp("/tmp", "assay-etcd-")
	if err != nil {
		return "", errors.Join(fmt.Errorf("the path %s is too long for a unix socket", absolute), err)
	}
	return s.sockets, nil
}

func config(dir, log string, client, peer url.URL) *embed.Config {
	c := embed.NewConfig()
	c.Dir = filepath.Join(dir, "data")
	c.ListenClientUrls = []url.URL{client}
	c.AdvertiseClientUrls = []url.URL{client}
	c.ListenPeerUrls = []url.URL{peer}
	c.AdvertisePeerUrls = []url.URL{peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = true
	c.LogLevel = "error"
	c.LogOutputs = []string{log}
	c.QuotaBackendBytes = quotaBytes
	// The API servers' watch caches learn the current revision by this.
	c.WatchProgressNotifyInterval = 5 * time.Second
	return c
}
