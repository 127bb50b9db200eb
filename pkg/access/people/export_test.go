package people

// TakePlace takes a place of the hasher's until it is given back.
func (h *Hasher) TakePlace() (giveBack func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}
