//go:build amd64 || arm64

package sample

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls that cannot block are raw: they do not tell the scheduler that they begin
// and end.

// A poll waits for what happens on sockets.
type poll struct {
	fd     int
	file   *os.File // the same, for the runtime
	parked syscall.RawConn
	look   func(uintptr) bool
	events [256]unix.EpollEvent
	found  int
	failed syscall.Errno

	tick  int // timerfd that goes off again and again
	alarm int // timerfd that is set
	set   time.Duration

	mu    sync.Mutex // held while waking: nobody writes to what has been closed
	event int        // eventfd; -1 once closed
}

// What an event says instead of the number of a socket.
const (
	wakeup = -1 - iota // somebody woke the poll
	ticked             // it is time for what is done now and then
	rang               // the alarm
)

// open makes a poll that ticks so often.
//
// The tick is there because an alarm is not free: where it is the next of all on
// this machine, the processor's clock is set for it, and set back when something
// happens, which costs more than reading an answer.
func (p *poll) open(tick time.Duration) (err error) {
	p.fd, p.tick, p.alarm, p.event, p.set = -1, -1, -1, -1, never
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if err = unix.SetNonblock(p.fd, true); err != nil { // the runtime polls only what is
		return err
	}
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if err = p.file.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if p.parked, err = p.file.SyscallConn(); err != nil {
		return err
	}
	p.look = func(uintptr) bool { return p.harvest(0) }
	if p.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if err = p.watch(p.event, wakeup, unix.EPOLLIN, false); err != nil {
		return err
	}
	if p.tick, err = p.timer(ticked, unix.EPOLLIN); err != nil {
		return err
	}
	every := unix.NsecToTimespec(int64(tick))
	if err = unix.TimerfdSettime(p.tick, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	// At the edge: setting it anew takes the old event back.
	p.alarm, err = p.timer(rang, unix.EPOLLIN|unix.EPOLLET)
	return err
}

func (p *poll) timer(number int32, events uint32) (int, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return -1, err
	}
	return fd, p.watch(fd, number, events, false)
}

func (p *poll) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range []*int{&p.event, &p.tick, &p.alarm} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
	switch {
	case p.file != nil:
		p.file.Close() // a second time does nothing
	case p.fd >= 0:
		unix.Close(p.fd)
	}
}

// wake ends a wait, or the next one.
func (p *poll) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.event >= 0 {
		one := [8]byte{1}
		unix.Write(p.event, one[:])
	}
}

// woken takes the wake-up, or the tick, back.
func (p *poll) woken(what int32) {
	fd := p.event
	if what == ticked {
		fd = p.tick
	}
	var count [8]byte
	unix.Read(fd, count[:])
}

// watch asks for the events of a socket, or for other ones than before.
func (p *poll) watch(fd int, number int32, events uint32, again bool) error {
	op := uintptr(unix.EPOLL_CTL_ADD)
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	ev := unix.EpollEvent{Events: events, Fd: number}
	if _, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), op, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// wait waits for events until a time at most, both since the same beginning.
//
// The goroutine waits as for any connection, unless the loop is brisk: then it
// keeps its thread and its place in the scheduler, because to give them away and
// to get them back takes longer than the wait. Nobody waits for the place for
// long: the tick ends each wait, and so does the signal by which the garbage
// collector stops the world.
func (p *poll) wait(until, now time.Duration, brisk bool) ([]unix.EpollEvent, error) {
	if until > now && until != never && until != p.set {
		at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(until - now))}
		if err := unix.TimerfdSettime(p.alarm, 0, &at, nil); err != nil {
			return nil, err
		}
		p.set = until
	}
	p.failed = 0
	switch {
	case until <= now:
		p.harvest(0)
	case brisk:
		p.harvest(-1)
	default:
		if err := p.parked.Read(p.look); err != nil {
			return nil, err
		}
	}
	if p.failed != 0 {
		return nil, p.failed
	}
	return p.events[:p.found], nil
}

// harvest takes the events that are there, after so many milliseconds at most; it
// says whether the wait is over.
func (p *poll) harvest(milliseconds int) bool {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), uintptr(len(p.events)), uintptr(milliseconds), 0, 0)
	if p.found = int(n); errno != 0 {
		p.found = 0
		if errno != unix.EINTR {
			p.failed = errno
		}
		return true
	}
	return n > 0
}

// receive reads what has come; 0 and no error at the end.
func receive(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func send(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// dial begins to connect. EINPROGRESS is no error.
func dial(address netip.Addr, port uint16) (int, syscall.Errno) {
	var sa [unix.SizeofSockaddrInet6]byte
	family, size := unix.AF_INET, unix.SizeofSockaddrInet4
	binary.BigEndian.PutUint16(sa[2:], port)
	if address.Is4() {
		ip := address.As4()
		copy(sa[4:], ip[:])
	} else {
		ip := address.As16()
		family, size = unix.AF_INET6, unix.SizeofSockaddrInet6
		copy(sa[8:], ip[:])
		binary.NativeEndian.PutUint32(sa[24:], scope(address.Zone()))
	}
	binary.NativeEndian.PutUint16(sa[:], uint16(family))
	fd, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&sa)), uintptr(size))
	if errno == unix.EINPROGRESS {
		errno = 0
	}
	return int(fd), errno
}

// scope is the number of a network interface, for an address such as fe80::1%eth0.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// atOnce makes the end of a request's bytes go out before the earlier ones have
// been acknowledged.
func atOnce(fd int) {
	on := int32(1)
	syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, uintptr(unsafe.Pointer(&on)), 4, 0)
}

// hangUp closes a connection by a reset, as a link does.
func hangUp(fd int) {
	linger := unix.Linger{Onoff: 1}
	syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER, uintptr(unsafe.Pointer(&linger)), unsafe.Sizeof(linger), 0)
	syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}
