{{/* A list of strings, as CEL writes it; the schema keeps quotes out of them. */}}
{{- define "cel.list" -}}
{{- $quoted := list -}}
{{- range . -}}{{- $quoted = append $quoted (printf "'%s'" .) -}}{{- end -}}
[{{ join ", " $quoted }}]
{{- end -}}

{{/* A map of such lists. */}}
{{- define "cel.lists" -}}
{{- $entries := list -}}
{{- range $name, $list := . -}}
{{- $entries = append $entries (printf "'%s': %s" $name (include "cel.list" $list)) -}}
{{- end -}}
{ {{- join ", " $entries -}} }
{{- end -}}
