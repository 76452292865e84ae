package app

// TellInParts has what moves in a video told in parts of so many frames.
func (a *App) TellInParts(frames int) { a.moverPart = partSize{points: 1 << 30, frames: frames} }
