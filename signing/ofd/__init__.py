"""OFD documents (版式文件, GB/T 33190-2016): the package, its pages, its signatures; read, judged, written."""
