module go-types

go 1.21
