// A value that tells when it becomes another: all state of the page that more than one component looks at.

import { useLayoutEffect, useState } from "preact/hooks";

export class Cell<T> {
  #value: T;
  #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  update(change: (value: T) => T): void {
    this.value = change(this.#value);
  }

  /** Calls `listener` after each change, until what it gives back is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value of a cell; the component is drawn anew when it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, draw] = useState<object>();
  const seen = cell.value;
  useLayoutEffect(() => {
    // It may have changed between drawing and now.
    if (!Object.is(cell.value, seen)) draw({});
    return cell.listen(() => draw({}));
  }, [cell]);
  return cell.value;
}
