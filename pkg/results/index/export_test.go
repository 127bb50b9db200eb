package index

// Load makes a view of segments.
func Load(segments ...[]byte) (*View, error) {
	v := newView(newDictionary())
	for _, raw := range segments {
		s, err := v.dict.decode(raw)
		if err != nil {
			return nil, err
		}
		v.add(s)
	}
	return v, nil
}

// CheckShard reads a shard and all that is in it.
func CheckShard(raw []byte) error {
	s, err := decodeShard(raw)
	if err != nil {
		return err
	}
	_, err = (&Keeper{dict: newDictionary()}).load(s, nil)
	return err
}
