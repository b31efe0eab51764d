package arena

func adviseHuge([]byte) {}

func populateWrite([]byte) {}
