package people

// Limits of Guard's.
var (
	SignInKnown = Limits{signInDevice}
	SignInOther = Limits{signInAddress, signInPair, signInNew, signInReserve, signInMost}
	CodeKnown   = Limits{codeDevice, codeDeviceDay}
	CodeOther   = Limits{codePair, codeNew}
)

// HashAgain reads a hash, and writes it.
func HashAgain(stored string) (again string, p Params, err error) {
	read, err := parsePHC(stored)
	return read.String(), read.Params, err
}

// CommonPasswords is the list.
func CommonPasswords() []string { return commonPasswords() }

// PackedPasswords is how many bytes it takes in a program.
func PackedPasswords() int { return len(packedPasswords) }

// TakePlace takes a place of the hasher's until it is given back.
func (h *Hasher) TakePlace() (giveBack func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

// Remembered is how many refusals are.
func (l *Limiter) Remembered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.refused)
}
