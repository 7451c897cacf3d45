// Chats on the disk of the browser (IndexedDB). Where it has none, they last as long as the page.

import type { Chat, Head } from "./types.ts";

const CHATS = "chats";
const HEADS = "heads";

let opened: Promise<IDBDatabase> | undefined;
/** What is kept where the browser keeps nothing, as in a window that is private. */
const fallback = new Map<string, Chat>();
export let lasting = true;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("scaffold", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(CHATS, { keyPath: "id" });
      request.result.createObjectStore(HEADS, { keyPath: "id" });
    };
    request.onsuccess = () => {
      // Another tab has a newer page: it must not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds the chats"));
  });
  return opened;
}

async function run<T>(mode: IDBTransactionMode, work: (of: IDBTransaction) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction([CHATS, HEADS], mode);
  const request = work(transaction);
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** Does `work` on the disk, or `instead` where there is none. A disk that fails later, as a full one, is an error. */
async function either<T>(work: () => Promise<T>, instead: () => T): Promise<T> {
  if (lasting) await database().catch(() => (lasting = false));
  return lasting ? work() : instead();
}

export function headOf({ id, title, changed }: Chat): Head {
  return { id, title, changed };
}

/** All chats, the one changed last first. */
export async function heads(): Promise<Head[]> {
  const all = await either(
    () => run("readonly", (of) => of.objectStore(HEADS).getAll() as IDBRequest<Head[]>),
    () => [...fallback.values()].map(headOf),
  );
  return all.sort((a, b) => b.changed - a.changed);
}

export function load(id: string): Promise<Chat | undefined> {
  return either(
    () => run("readonly", (of) => of.objectStore(CHATS).get(id) as IDBRequest<Chat | undefined>),
    () => fallback.get(id),
  );
}

export async function save(chat: Chat): Promise<void> {
  await either<unknown>(
    () =>
      run<IDBValidKey>("readwrite", (of) => {
        of.objectStore(HEADS).put(headOf(chat));
        return of.objectStore(CHATS).put(chat);
      }),
    () => void fallback.set(chat.id, chat),
  );
  told.postMessage(chat.id);
}

export async function remove(id: string): Promise<void> {
  await either(
    () =>
      run<undefined>("readwrite", (of) => {
        of.objectStore(HEADS).delete(id);
        return of.objectStore(CHATS).delete(id);
      }),
    () => void fallback.delete(id),
  );
  told.postMessage(id);
}

/** Tells the other tabs which chat has changed. */
const told = new BroadcastChannel("scaffold.chats");

export function onOthers(listener: (id: string) => void): void {
  told.onmessage = (event: MessageEvent<string>) => listener(event.data);
}
