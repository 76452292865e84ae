package simulate
import ("testing";"bytes";"os")
func TestZZDev(t *testing.T){ s,_:=Find("small"); for seed:=uint64(1);seed<=8;seed++{ c,_:=settle(s,seed); for i:=range s.Gas { var b bytes.Buffer; c.gasSurvey(&b,i,s.Gas[i]); os.WriteFile("/tmp/camp/"+string(rune('0'+seed))+"-"+string(rune('1'+i))+".csv",b.Bytes(),0o644)} } }
