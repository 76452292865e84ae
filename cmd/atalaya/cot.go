package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/cot"
)

func cotCommand() *cobra.Command {
	c := &cobra.Command{Use: "cot", Short: "Cursor on Target: XML, protobuf of the TAK protocol and GeoJSON, each into the others"}
	c.AddCommand(cotEncodeCommand(), cotDecodeCommand(), cotConvertCommand())
	return c
}

func cotEncodeCommand() *cobra.Command {
	var f cotFile
	var stream bool
	c := &cobra.Command{
		Use:   "encode FILE",
		Short: "XML to protobuf of the TAK protocol, version 1, on standard output",
		Long: `XML to protobuf of the TAK protocol, version 1, on standard output. Each event is framed as a datagram
(bf 01 bf), or with --stream as on a connection (bf and the length). What protobuf has no place for is
told on standard error. FILE may hold several events, in any form; - is standard input.`,
		Example: `  atalaya cot encode position.xml > position.bin
  atalaya cot encode --stream feed.xml > feed.bin
  atalaya cot encode - < position.xml | atalaya cot decode -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			frame := cot.AppendMesh
			if stream {
				frame = cot.AppendStream
			}
			return f.events(cmd, args[0], out, func(it cot.Item) error {
				message, lost := it.Event.Proto()
				for _, what := range lost {
					sayProblem(cmd.ErrOrStderr(), nameOf(args[0]), fmt.Sprintf("byte 0x%x", it.At), what+" has no place in protobuf and was left out")
				}
				_, err := out.Write(frame(nil, message))
				return err
			})
		},
	}
	c.Flags().BoolVar(&stream, "stream", false, "frame as on a connection, with the length of each message")
	f.flags(c)
	return c
}

func cotDecodeCommand() *cobra.Command {
	var f cotFile
	c := &cobra.Command{
		Use:   "decode FILE",
		Short: "Protobuf of the TAK protocol to XML, a document each event",
		Long: `Protobuf of the TAK protocol to XML, a document each event, one behind the other. FILE is a capture of
datagrams or of a connection, with XML among it or not; - is standard input. What cannot be read is named
with its place, and reading goes on behind it (exit code 3).`,
		Example: `  atalaya cot decode capture.bin
  atalaya cot decode - < capture.bin > events.xml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			return f.events(cmd, args[0], out, func(it cot.Item) error { return writeXML(out, it.Event) })
		},
	}
	f.flags(c)
	return c
}

func writeXML(out io.Writer, e cot.Event) error {
	_, err := out.Write(append(e.XML(), '\n'))
	return err
}

func cotConvertCommand() *cobra.Command {
	var f cotFile
	c := &cobra.Command{
		Use:   "convert FILE",
		Short: "XML or protobuf to GeoJSON; GeoJSON to XML",
		Long: `XML or protobuf to GeoJSON in the shape of CloudTAK: one event a Feature, several a FeatureCollection.
GeoJSON to XML, a document each feature. Which of the two is seen from the content; - is standard input.`,
		Example: `  atalaya cot convert position.xml
  atalaya cot convert capture.bin > map.geojson
  atalaya cot convert map.geojson > events.xml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, end, err := f.open(cmd, args[0])
			if err != nil {
				return err
			}
			defer end()
			out := bufio.NewWriter(cmd.OutOrStdout())
			if isJSON(in) {
				return convertFeatures(cmd, args[0], in, out)
			}
			list := features{out: out}
			err = f.read(cmd, args[0], in, nil, func(it cot.Item) error { return list.add(it.Event) })
			return errors.Join(list.end(), out.Flush(), err)
		},
	}
	f.flags(c)
	return c
}

// cotFile reads the events of a file or of standard input.
type cotFile struct{ quiet bool }

func (f *cotFile) flags(c *cobra.Command) {
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
}

// nameOf is what messages call an argument.
func nameOf(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// open opens what an argument names, with progress.
func (f *cotFile) open(cmd *cobra.Command, path string) (in *bufio.Reader, end func(), err error) {
	if path == "-" {
		return bufio.NewReader(cmd.InOrStdin()), func() {}, nil
	}
	file, err := openInput("cot.read", path)
	if err != nil {
		return nil, nil, err
	}
	var size int64
	if st, err := file.Stat(); err == nil {
		size = st.Size()
	}
	shown := newProgress(cmd.ErrOrStderr(), f.quiet)
	in = bufio.NewReader(&watched{r: file, each: func(done int64) { shown.file(path, done, size) }})
	return in, func() { file.Close(); shown.end() }, nil
}

// events hands on each event of a file, and flushes out behind the last; behind each where the input may be a live feed.
func (f *cotFile) events(cmd *cobra.Command, path string, out *bufio.Writer, each func(cot.Item) error) error {
	in, end, err := f.open(cmd, path)
	if err != nil {
		return err
	}
	defer end()
	flush := func() error { return nil }
	if path == "-" {
		flush = out.Flush
	} else if isJSON(in) {
		return &atalaya.Error{Op: "cot.read", File: path, Kind: atalaya.BadInput, Err: errors.New("JSON, not XML or protobuf"), Hint: "Make XML of GeoJSON first: atalaya cot convert FILE"}
	}
	err = f.read(cmd, path, in, flush, each)
	return errors.Join(out.Flush(), err)
}

// maxUntold bounds the problems that are held back until an event shows that the file holds any.
const maxUntold = 100

func (f *cotFile) read(cmd *cobra.Command, path string, in io.Reader, flush func() error, each func(cot.Item) error) error {
	r := cot.NewReader(in, nameOf(path))
	events, places := 0, 0
	var untold []*atalaya.Error
	for {
		it, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if it.Problem != nil {
			if places++; events > 0 {
				sayProblem(cmd.ErrOrStderr(), it.Problem.Error())
			} else if len(untold) < maxUntold {
				untold = append(untold, it.Problem)
			}
			continue
		}
		events++
		for _, p := range untold {
			sayProblem(cmd.ErrOrStderr(), p.Error())
		}
		untold = nil
		if err := each(it); err != nil {
			return err
		}
		if flush != nil {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return cotEnd(cmd.ErrOrStderr(), nameOf(path), "event", r.Controls, events, places, untold)
}

// cotEnd is how a command ends that read n events and met places that could not be read. Where nothing could be, the first of them is the error.
func cotEnd(talk io.Writer, name, noun string, controls, n, places int, untold []*atalaya.Error) error {
	switch {
	case n == 0 && places > 0:
		for _, p := range untold[1:] {
			sayProblem(talk, p.Error())
		}
		return untold[0]
	case n == 0 && controls > 0:
		return &atalaya.Error{Op: "cot.read", File: name, Kind: atalaya.BadInput, Err: fmt.Errorf("%d control messages of the TAK protocol, and no event", controls), Hint: "Give a file with events"}
	case n == 0:
		return &atalaya.Error{Op: "cot.read", File: name, Kind: atalaya.BadInput, Err: fmt.Errorf("no %s", noun), Hint: "Give Cursor on Target as XML or protobuf, or GeoJSON to convert"}
	case places > 0:
		return partly{fmt.Sprintf("%s: done in part: %d read, %d places could not be", name, n, places)}
	}
	return nil
}

// features writes one feature as it is, several as a collection.
type features struct {
	out   *bufio.Writer
	first []byte
	n     int
}

func (f *features) add(e cot.Event) error {
	text, err := e.GeoJSON()
	if err != nil {
		return err
	}
	switch f.n++; f.n {
	case 1:
		f.first = text
		return nil
	case 2:
		fmt.Fprintf(f.out, "{\"type\":\"FeatureCollection\",\"features\":[\n%s", f.first)
	}
	_, err = fmt.Fprintf(f.out, ",\n%s", text)
	return err
}

func (f *features) end() error {
	var err error
	switch f.n {
	case 0:
	case 1:
		_, err = fmt.Fprintf(f.out, "%s\n", f.first)
	default:
		_, err = fmt.Fprint(f.out, "\n]}\n")
	}
	return err
}

// isJSON looks whether a JSON object begins, behind blanks and a byte order mark.
func isJSON(in *bufio.Reader) bool {
	head, _ := in.Peek(256) // what ends earlier is told by its reader
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// maxGeoJSON bounds a file of GeoJSON in bytes: it is read as a whole.
const maxGeoJSON = 64 << 20

// convertFeatures writes the features of a file of GeoJSON as XML: one Feature, a FeatureCollection, or several on lines of their own.
func convertFeatures(cmd *cobra.Command, path string, in io.Reader, out *bufio.Writer) error {
	fail := func(place, hint string, err error) error {
		return &atalaya.Error{Op: "cot.read", File: nameOf(path), Place: place, Kind: atalaya.BadInput, Hint: hint, Err: err}
	}
	text, err := io.ReadAll(io.LimitReader(in, maxGeoJSON+1))
	if err != nil {
		return err
	}
	if len(text) > maxGeoJSON {
		return fail("", "Split it", fmt.Errorf("more than %d bytes of GeoJSON", maxGeoJSON))
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(text))
	done, n, places := 0, 0, 0
	var untold []*atalaya.Error
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); err == io.EOF {
			break
		} else if err != nil { // nothing behind it can be read either
			places++
			e := fail(fmt.Sprintf("byte 0x%x", d.InputOffset()), "Correct the JSON there", err).(*atalaya.Error)
			if n == 0 {
				untold = append(untold, e)
			} else {
				sayProblem(cmd.ErrOrStderr(), e.Error())
			}
			break
		}
		for _, one := range featuresOf(raw) {
			done++
			e, err := cot.FromGeoJSON(one)
			if err != nil {
				places++
				told := inFeature(nameOf(path), done, err)
				if n == 0 && len(untold) < maxUntold {
					untold = append(untold, told)
				} else {
					sayProblem(cmd.ErrOrStderr(), told.Error())
				}
				continue
			}
			n++
			for _, p := range untold {
				sayProblem(cmd.ErrOrStderr(), p.Error())
			}
			untold = nil
			if err := writeXML(out, e); err != nil {
				return err
			}
		}
	}
	return errors.Join(out.Flush(), cotEnd(cmd.ErrOrStderr(), nameOf(path), "feature", 0, n, places, untold))
}

// featuresOf are the features of a collection; of anything else itself.
func featuresOf(raw json.RawMessage) []json.RawMessage {
	var c struct {
		Type     string
		Features []json.RawMessage
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Type != "FeatureCollection" {
		return []json.RawMessage{raw}
	}
	return c.Features
}

// inFeature puts the number of a feature, counted from 1, into its error.
func inFeature(file string, n int, err error) *atalaya.Error {
	told := &atalaya.Error{Op: "cot.read", Kind: atalaya.BadInput, Err: err}
	var e *atalaya.Error
	if errors.As(err, &e) {
		copied := *e
		told = &copied
	}
	place := fmt.Sprintf("feature %d", n)
	if told.Place != "" {
		place += ", " + told.Place
	}
	told.File, told.Place = file, place
	return told
}
