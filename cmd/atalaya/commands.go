package main

import "github.com/spf13/cobra"

// commands lists every command, in the order of the work.
func commands() []*cobra.Command {
	list := []*cobra.Command{
		demoCommand(), runCommand(), serveCommand(), workCommand(), probeCommand(),
		gasCommand(), videoCommand(), signalCommand(), cotCommand(), translateCommand(), markingCommand(),
		siteCommand(), reviewCommand(), releaseCommand(), outcomeCommand(), retractCommand(), accountCommand(),
		simulateCommand(), scoreCommand(), benchCommand(), configCommand(),
	}
	return append(list, recordCommands()...)
}
