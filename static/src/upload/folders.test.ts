import { expect, test } from "vitest";
import { fromDrop, fromInput } from "./folders";

const file = (name: string) => new File(["x"], name);

function fileEntry(path: string): FileSystemEntry {
  const entry = { isFile: true, fullPath: path, file: (done: FileCallback) => done(file(path)) };
  return entry as unknown as FileSystemEntry;
}

/** A folder whose reader gives two entries at a time, as browsers give a hundred. */
function folder(path: string, entries: FileSystemEntry[]): FileSystemEntry {
  const rest = [...entries];
  const createReader = () => ({ readEntries: (done: FileSystemEntriesCallback) => done(rest.splice(0, 2)) });
  return { isFile: false, fullPath: path, createReader } as unknown as FileSystemEntry;
}

function drop(entries: (FileSystemEntry | null)[], files: File[] = []): DataTransfer {
  const items = entries.map((entry) => ({ webkitGetAsEntry: () => entry }));
  return { items, files } as unknown as DataTransfer;
}

test("files of a chooser keep their path within the folder", () => {
  const inFolder = Object.assign(file("a.dcm"), { webkitRelativePath: "study/a.dcm" });
  const picked = fromInput([inFolder, file("b.dcm")] as unknown as FileList);
  expect(picked.map(({ path }) => path)).toEqual(["study/a.dcm", "b.dcm"]);
});

test("a dropped folder is walked to its end", async () => {
  const many = ["1", "2", "3", "4", "5"].map((name) => fileEntry(`/study/deep/${name}`));
  const picked = await fromDrop(
    drop([folder("/study", [folder("/study/deep", many)]), fileEntry("/single.dcm"), null]),
  );
  expect(picked.map(({ path }) => path)).toEqual([
    "study/deep/1",
    "study/deep/2",
    "study/deep/3",
    "study/deep/4",
    "study/deep/5",
    "single.dcm",
  ]);
});

test("where a browser gives no entries its plain files are taken", async () => {
  const picked = await fromDrop(drop([null], [file("a.dcm")]));
  expect(picked.map(({ path }) => path)).toEqual(["a.dcm"]);
});

test("a file that cannot be read is an error, not left out", async () => {
  const broken = {
    isFile: true,
    fullPath: "/x",
    file: (_: FileCallback, fail: ErrorCallback) => fail(new DOMException("gone")),
  };
  await expect(fromDrop(drop([broken as unknown as FileSystemEntry]))).rejects.toThrow("gone");
});
