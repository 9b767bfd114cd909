package sample

// Check says why the request could not be sent; nil when it could. It is what
// Run would say before it sends anything.
func (r Request) Check() error {
	_, err := prepare(r, new(Options))
	return err
}
