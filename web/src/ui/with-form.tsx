// Puts a form beside a list, or below it where there is no room, with a way there then.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

interface Props {
  /** What the form is for, as a landmark's name. */
  label: string;
  form: ComponentChildren;
  children: ComponentChildren;
}

export function WithForm({ label, form, children }: Props) {
  const aside = useRef<HTMLElement>(null);
  return (
    <div class="with-form">
      <button
        type="button"
        class="to-form"
        onClick={() => {
          const field = aside.current?.querySelector<HTMLElement>("input:not([readonly])");
          field?.focus({ preventScroll: true });
          aside.current?.scrollIntoView();
        }}
      >
        To the form
      </button>
      {children}
      <aside aria-label={label} ref={aside}>
        {form}
      </aside>
    </div>
  );
}
