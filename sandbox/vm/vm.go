// Package vm stands in for the tutorial's on-premise virtual machine: it runs
// the canary outside Kubernetes, at an address of the cluster's network that an
// Istio WorkloadEntry names. It can be taken down and up again, as a fault
// does. It answers whoever reaches it: what its sidecar lets in is decided where
// a call is sent, and its own calls go through a gateway.ListenSidecar.
package vm

import (
	"fmt"
	"sync"

	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/workload"
)

// Port is where the VM's service listens.
const Port = 8080

// VM is the machine. It is safe for concurrent use.
type VM struct {
	address string
	network *network.Network

	mu      sync.Mutex
	service *workload.Service // nil while down
	closed  bool
}

// Start runs the canary at address, such as 192.168.64.10, port 8080 of the
// network n, and registers it there.
func Start(address string, n *network.Network) (*VM, error) {
	v := &VM{address: address, network: n}
	if err := v.Up(); err != nil {
		return nil, err
	}
	return v, nil
}

// Address is the VM's address in the network, without a port.
func (v *VM) Address() string { return v.address }

// Down takes the VM's service away: connections break and new ones are
// refused. Its address stays known. Down twice is down.
func (v *VM) Down() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.service == nil {
		return nil
	}
	// Off the network first: once its loopback port is free, another service of
	// the sandbox may get it, and would be taken for the VM.
	v.network.Refuse(v.address, Port)
	err := v.service.Kill()
	v.service = nil
	return err
}

// Up starts the VM's service again at its address; its count begins at 0 again,
// as that of any process that restarts.
func (v *VM) Up() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.service != nil || v.closed {
		return nil
	}
	s, err := workload.Start(workload.Spec{
		Image: "blue-green-canary",
		Pod:   "vm-" + v.address,
		Port:  Port,
		Env: map[string]string{
			"BLUE_GREEN_CANARY_COLOR":   "yellow",
			"BLUE_GREEN_CANARY_MESSAGE": "Hello from the canary on the VM",
			"TEXT_COLOR":                "black",
		},
	})
	if err != nil {
		return fmt.Errorf("vm %s: %w", v.address, err)
	}
	v.service = s
	v.network.Register(v.address, Port, s.Addr())
	return nil
}

// Close takes the VM off the network for good.
func (v *VM) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	v.network.Unregister(v.address)
	if v.service == nil {
		return nil
	}
	err := v.service.Close()
	v.service = nil
	return err
}
