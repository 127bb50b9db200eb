package emulator

// Pid is the process of the emulator.
func Pid(s *Server) int { return s.process.Process.Pid }
