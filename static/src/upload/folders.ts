/** A file with the path that it had within a dropped folder. */
export interface Picked {
  file: File;
  path: string;
}

/** The files of a file or folder chooser. */
export function fromInput(list: FileList): Picked[] {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** The files of a drop, folders walked to their ends. */
export async function fromDrop(transfer: DataTransfer): Promise<Picked[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return fromInput(transfer.files);
  const found: Picked[] = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Picked[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // readEntries gives a hundred at a time and an empty list at the end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (batch.length === 0) return;
    for (const inner of batch) await walk(inner, found);
  }
}
