// Package playback packs the pictures of a video again for a browser: fragmented MP4 (ISO/IEC 14496-12) of the same coded
// pictures, H.264 as avc1 and H.265 as hvc1 (ISO/IEC 14496-15), one media segment a group of pictures. Nothing is decoded and
// nothing coded anew. Times are those of the transport stream, in its 90 kHz ticks, so that metadata beside the picture are
// matched by presentation time.
//
// Configure makes the initialisation segment from the parameter sets in the stream; Config.Segment a media segment; a Reader
// takes groups from a demultiplexer. MPEG-2 video is refused: no browser plays it by Media Source Extensions.
package playback
