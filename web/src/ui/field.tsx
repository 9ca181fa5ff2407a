// One field of a form, with what the service found wrong with it.
import { useId } from "preact/hooks";

export interface FieldOf {
  /** Its name in the proto, which is how the service names a faulty one. */
  name: string;
  label: string;
  hint?: string;
  fixed?: string;
  mode?: "email" | "tel";
}

interface Props {
  field: FieldOf;
  value: string;
  fault: string | undefined;
  typed(value: string): void;
}

export function Field({ field, value, fault, typed }: Props) {
  const id = useId();
  const described = fault ? `${id}-fault` : field.hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{field.label}</label>
      <input
        id={id}
        name={field.name}
        type="text"
        inputMode={field.mode}
        autoComplete="off"
        autoCapitalize="off"
        spellcheck={false}
        value={value}
        readOnly={field.fixed !== undefined}
        aria-invalid={fault ? "true" : undefined}
        aria-describedby={described}
        onInput={(event) => typed(event.currentTarget.value)}
      />
      {fault ? (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      ) : (
        field.hint && (
          <p class="hint" id={`${id}-hint`}>
            {field.hint}
          </p>
        )
      )}
    </div>
  );
}
